"""One folder: is it there, is it ours, may we move files in and out, is there room."""

import os
import stat
from dataclasses import dataclass
from enum import StrEnum

from checkfirst.policy.names import show
from checkfirst.policy.sizes import readable
from checkfirst.service.doctor.finding import Finding, note, ok, problem
from checkfirst.watch.mounts import filesystem_blocking

SCARCE_BYTES = 100 * 1000 * 1000
LITTLE_BYTES = 1000 * 1000 * 1000

_OTHERS_WRITE = 0o022
_OTHERS = 0o077


class Role(StrEnum):
    """What the folder is for."""

    WATCHED = "watched"
    RELEASED = "released"
    QUARANTINE = "quarantine"
    STATE = "state"
    HELD = "held"

    @property
    def is_private(self) -> bool:
        """Whether nobody else has any business there."""
        return self in {Role.QUARANTINE, Role.STATE, Role.HELD}


@dataclass(frozen=True, slots=True)
class Facts:
    """What stat(2), access(2) and statvfs(3) say."""

    role: Role
    path: bytes
    exists: bool
    trouble: str = ""
    """Why it cannot be seen."""
    is_folder: bool = True
    is_ours: bool = True
    mode: int = 0o700
    may_list: bool = True
    may_write: bool = True
    """Search permission included."""
    can_be_made: bool = True
    """For one that does not exist: whether its nearest parent can be written."""
    kind: str = ""
    """Filesystem type; empty where nobody tells."""
    read_only: bool = False
    free: int | None = None
    """Bytes for us."""
    no_inodes: bool = False
    """The filesystem has no room for a new name, whatever the bytes say."""


def look_at_folder_blocking(role: Role, path: bytes) -> Facts:
    """Look; nothing is raised and nothing is made."""
    try:
        seen = os.stat(path)
    except FileNotFoundError:
        above = path
        while not os.path.lexists(above) and above not in {b"/", b""}:
            above = os.path.dirname(above)
        can = os.path.isdir(above) and os.access(above, os.W_OK | os.X_OK)
        return Facts(role, path, exists=False, can_be_made=can and not os.path.islink(path))
    except OSError as error:
        return Facts(role, path, exists=True, trouble=error.strerror or str(error))
    if not stat.S_ISDIR(seen.st_mode):
        return Facts(role, path, exists=True, is_folder=False)
    try:
        room = os.statvfs(path)
    except OSError as error:
        return Facts(role, path, exists=True, trouble=error.strerror or str(error))
    return Facts(
        role,
        path,
        exists=True,
        is_ours=seen.st_uid == os.geteuid(),
        mode=stat.S_IMODE(seen.st_mode),
        may_list=os.access(path, os.R_OK | os.X_OK),
        may_write=os.access(path, os.W_OK | os.X_OK),
        kind=filesystem_blocking(os.path.realpath(path)),
        read_only=bool(room.f_flag & os.ST_RDONLY),
        free=room.f_bavail * room.f_frsize,
        no_inodes=room.f_files > 0 and room.f_favail == 0,
    )


def judge_folder(facts: Facts) -> list[Finding]:
    """What the facts mean."""
    about = show(facts.path)
    what = f"The {facts.role} folder"
    if not facts.exists:
        return [_missing(facts, what, about)]
    if facts.trouble:
        return [problem(f"{what} cannot be looked at ({facts.trouble})", _MOUNT, about)]
    if not facts.is_folder:
        return [problem(f"{what} is no folder", f"Name a folder in `{_setting(facts)}`.", about)]
    found = [*_rights(facts, what, about), *_room(facts, what, about)]
    if not found:
        free = "" if facts.free is None else f", {readable(facts.free)} free"
        found.append(ok(f"{what} is well ({facts.kind or 'unknown filesystem'}{free})", about))
    return found


_MOUNT = "See whether what belongs there is mounted and answers."


def _missing(facts: Facts, what: str, about: str) -> Finding:
    if facts.role is Role.WATCHED:
        to_do = "Create it, mount what belongs there, or change `watch` in the settings."
        return problem(f"{what} does not exist", to_do, about)
    if facts.role is Role.HELD:
        return ok(f"{what} is made when the first file is held", about)
    if facts.can_be_made:
        return ok(f"{what} is not there yet; it is made when checkfirst first runs", about)
    to_do = f"Make it yourself, or change `{_setting(facts)}` in the settings."
    return problem(f"{what} does not exist and cannot be made", to_do, about)


def _rights(facts: Facts, what: str, about: str) -> list[Finding]:
    if facts.read_only:
        return [problem(f"{what} is on a disk that cannot be written", _MOUNT, about)]
    if not (facts.may_list and facts.may_write):
        lacks = "listed" if not facts.may_list else "written to"
        to_do = "Give the user of the daemon read, write and search permission on it."
        return [problem(f"{what} cannot be {lacks}", to_do, about)]
    if not facts.is_ours:
        title = f"{what} belongs to another user"
        if facts.role.is_private:
            return [problem(title, "Choose one of your own.", about)]
        to_do = "Files of other owners get no lease: they wait longer, and are copied."
        return [note(title, to_do, about)]
    return _privacy(facts, about) if facts.role.is_private and facts.mode & _OTHERS else []


def _privacy(facts: Facts, about: str) -> list[Finding]:
    to_do = f"chmod 700 '{about}'"
    if facts.mode & _OTHERS_WRITE:
        return [problem(f"Others may change what lies in the {facts.role} folder", to_do, about)]
    return [note(f"Others may look into the {facts.role} folder", to_do, about)]


def _room(facts: Facts, what: str, about: str) -> list[Finding]:
    to_do = "Make room on that disk; until then files stay where they are."
    if facts.no_inodes:
        return [problem(f"{what} is on a disk that takes no more files", to_do, about)]
    if facts.free is None or facts.free >= LITTLE_BYTES:
        return []
    left = f"with only {readable(facts.free)} left" if facts.free else "that is full"
    title = f"{what} is on a disk {left}"
    return [(problem if facts.free < SCARCE_BYTES else note)(title, to_do, about)]


def _setting(facts: Facts) -> str:
    names = {Role.WATCHED: "watch", Role.HELD: "state"}
    return names.get(facts.role, facts.role.value)
