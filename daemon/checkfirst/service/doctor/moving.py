"""How files get out of a watched folder: tried with a scratch file that is gone afterwards.

Equal device numbers prove nothing (bind mounts), and whether a lease can be had is known only when
one is asked for.
"""

import os
from dataclasses import dataclass

from checkfirst.errors import CheckfirstError
from checkfirst.policy.names import show
from checkfirst.service.doctor.finding import Finding, note, ok, problem
from checkfirst.vault.grip import lease_blocking
from checkfirst.vault.held import renames_blocking
from checkfirst.watch.mounts import filesystem_blocking, is_remote

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Facts:
    """What came of the trial."""

    root: bytes
    kind: str = ""
    """Filesystem type."""
    remote: bool = False
    renames: bool | None = None
    """Into the held folder beside the database; None: there is none yet, so it was not tried."""
    lease: bool | None = None
    """Whether the filesystem grants read leases; None: not asked (network filesystems)."""
    trouble: str = ""


def look_at_moving_blocking(root: bytes, state: bytes, token: str) -> Facts:
    """Try it. `ignore_lease_breaks()` must have been called; `token` is a name nobody else has."""
    path = os.path.realpath(root)
    kind = filesystem_blocking(path)
    remote = is_remote(kind)
    if not os.path.isdir(path):
        return Facts(root, kind, remote, trouble="it is not there")
    held = os.path.join(state, b"held")
    try:
        renames = renames_blocking(path, held, token) if os.path.isdir(held) else None
        lease = None if remote else _leases_blocking(path, token)
    except CheckfirstError as error:
        return Facts(root, kind, remote, trouble=error.title)
    except OSError as error:
        return Facts(root, kind, remote, trouble=error.strerror or str(error))
    return Facts(root, kind, remote, renames, lease)


def judge_moving(facts: Facts) -> list[Finding]:
    """What the facts mean."""
    about = show(facts.root)
    if facts.trouble:
        return [problem(f"No file could be tried here ({facts.trouble})", "", about)]
    found = []
    if facts.renames is None:
        found.append(ok("Moving files was not tried, as checkfirst has not run yet", about))
    elif facts.renames:
        found.append(ok("Files move into the held folder by a rename", about))
    else:
        found.append(
            note(
                "Files are held in .checkfirst-held inside this folder, or copied: it is on "
                "another filesystem than `state`",
                "A `state` folder on the same filesystem would be faster.",
                about,
            )
        )
    if facts.lease:
        found.append(ok(f"Leases are granted ({facts.kind or 'unknown filesystem'})", about))
    else:
        why = "a network filesystem" if facts.remote else "its filesystem grants none"
        found.append(
            note(
                f"No leases here ({facts.kind or 'unknown'}: {why})",
                "Files wait longer until they count as finished, and are released as a copy.",
                about,
            )
        )
    return found


def _leases_blocking(folder: bytes, token: str) -> bool:
    scratch = os.path.join(folder, b".checkfirst-%s.trial" % token.encode())
    descriptor = os.open(scratch, _FLAGS, 0o600)
    try:
        os.close(descriptor)
        descriptor = os.open(scratch, os.O_RDONLY | os.O_CLOEXEC)
        os.unlink(scratch)
        return lease_blocking(descriptor) is True
    finally:
        os.close(descriptor)
