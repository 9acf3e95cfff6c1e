"""What the daemon knows and the database does not, kept in a file for `checkfirst status`.

Written by the daemon alone, atomically, when it changes. Whether the daemon runs is told by its
lock, not by this file. Light to import: commands that only read come through here.
"""

import base64
import contextlib
import errno
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from checkfirst.clock import iso
from checkfirst.model import FolderHealth, Outlook, SourceHealth
from checkfirst.policy.names import escape, show
from checkfirst.service.hashing import Hashed

NAME = "status.json"

LEAST_ROOM_BYTES = 128 * 1024
"""With less the next transaction may fail: SQLite's log grows by what it changes."""

_UNWRITABLE = frozenset({errno.EROFS, errno.EIO})

MOST_OUTLOOKS = 1000
"""So many waiting questions are told one by one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The daemon as it was when it last wrote."""

    pid: int
    mode: str
    watching: tuple[FolderHealth, ...] = ()
    sources: tuple[SourceHealth, ...] = ()
    outlook: tuple[Outlook, ...] = ()
    """Why and until when questions wait, in the order of their queue."""
    settling: int = 0
    """Files noticed that may settle soon, or have and are still where they were."""
    hashing: tuple[Hashed, ...] = ()
    """Large files that are being read."""
    problems: tuple[str, ...] = ()
    note: str = ""
    """What a person has to know of the choice of sources."""


def write_blocking(state: Path, snapshot: Snapshot) -> None:
    """Replace the file; raises OSError."""
    facts = asdict(snapshot)
    for folder in facts["watching"]:
        folder["path"] = base64.b64encode(folder["path"]).decode()
    staged = state / f".{NAME}.new"
    with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(facts, file)
    staged.replace(state / NAME)


def disk_trouble_blocking(state: Path) -> str | None:
    """Words for a disk that the daemon cannot write to, not even to tell of it in its file."""
    until = "until then files stay where they are, and nothing is lost."
    about = show(os.fsencode(state))
    try:
        room = os.statvfs(state)
        if room.f_blocks and room.f_bavail * room.f_frsize < LEAST_ROOM_BYTES:
            title = "There is no room left on the disk of the state folder"
            return f"{title}: {about}. Make room; {until}"
        if sys.platform == "linux":
            os.close(os.open(state, os.O_TMPFILE | os.O_WRONLY, 0o600))  # has no name
    except OSError as error:
        if error.errno in _UNWRITABLE:
            title = f"The disk of the state folder cannot be written ({error.strerror})"
            return f"{title}: {about}. See the system's log; {until}"
    return None


def read_blocking(state: Path) -> Snapshot | None:
    """The last snapshot; None where there is none or it makes no sense."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        facts: dict[str, Any] = json.loads((state / NAME).read_text("utf-8"))
        facts["watching"] = tuple(
            FolderHealth(**{**each, "path": base64.b64decode(each["path"])})
            for each in facts["watching"]
        )
        facts["sources"] = tuple(SourceHealth(**each) for each in facts["sources"])
        facts["outlook"] = tuple(Outlook(**each) for each in facts["outlook"])
        facts["hashing"] = tuple(Hashed(**each) for each in facts["hashing"])
        facts["problems"] = tuple(facts["problems"])
        return Snapshot(**facts)
    return None


def in_a_line(snapshot: Snapshot) -> str:
    """For a service manager's status; printable."""
    folders = ", ".join(show(folder.path) for folder in snapshot.watching)
    parts = [f"Watching {folders}, mode {snapshot.mode}"]
    if snapshot.outlook:
        until = min((each.until for each in snapshot.outlook if each.until), default=None)
        parts.append(
            f"{len(snapshot.outlook)} waiting" + (f", until {iso(until)}" if until else "")
        )
    parts += [escape(problem) for problem in snapshot.problems[:1]]
    return "; ".join(parts)
