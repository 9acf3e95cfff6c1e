"""Why a file that lies there was never taken in, and what to do: for `checkfirst why`.

It looks as the intake would and says in words what comes of it; it takes nothing and keeps
nothing.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from checkfirst.intake.holder import holders_blocking
from checkfirst.policy.ignore import Temporary, ignored, partner, temporary
from checkfirst.policy.names import escape, show
from checkfirst.policy.settle import OTHER_EXPIRES
from checkfirst.policy.system_folders import is_of_the_system
from checkfirst.service.lock import running_pid
from checkfirst.settings.units import duration_text
from checkfirst.vault.grip import ignore_lease_breaks, lease_blocking
from checkfirst.watch.baseline import Baseline
from checkfirst.watch.watcher import BASELINE_FILE

if TYPE_CHECKING:
    from checkfirst.clock import Clock
    from checkfirst.settings.schema import Settings

_JUDGE = "To have it judged now: checkfirst take FILE"
_CHECK = "To have a file judged where it lies: checkfirst check FILE"
"""What works where `take` refuses."""
_NOTHING = "Nothing is to be done."
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS = (
    (stat.S_ISLNK, "it is a link, and links are not followed"),
    (stat.S_ISFIFO, "it is a pipe"),
    (stat.S_ISSOCK, "it is a socket"),
    (stat.S_ISCHR, "it is a device"),
    (stat.S_ISBLK, "it is a device"),
)


@dataclass(frozen=True, slots=True)
class Untaken:
    """A file that nothing is known of."""

    path: bytes
    why: str
    """A clause."""
    to_do: str


@dataclass(frozen=True, slots=True)
class _Look:
    path: bytes
    root: bytes | None
    """The watched folder that it lies in."""
    seen: os.stat_result
    settings: "Settings"
    clock: "Clock"

    @property
    def below(self) -> bytes:
        """The path below the watched folder."""
        return self.path[len(self.root or b"") + 1 :]


_Answer = tuple[str, str] | None


def untaken_blocking(name: bytes, settings: "Settings", clock: "Clock") -> Untaken | None:
    """Why it was not taken; None where no file lies under the name.

    A name without a folder is looked for in the current folder, then in the watched ones.
    """
    roots = [os.path.realpath(os.fsencode(folder)) for folder in settings.watch]
    for folder in [os.getcwdb(), *([] if b"/" in name else roots)]:
        path = os.path.normpath(os.path.join(folder, name))
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        try:
            seen = os.lstat(path)
        except (OSError, ValueError):
            continue
        root = next((root for root in roots if path.startswith(root + b"/")), None)
        look = _Look(path, root, seen, settings, clock)
        answers = (reason(look) for reason in _REASONS)
        return Untaken(path, *next(answer for answer in answers if answer))
    return None


def _elsewhere(look: _Look) -> _Answer:
    if look.root is not None:
        return None
    is_taken = (
        stat.S_ISREG(look.seen.st_mode)
        and look.seen.st_uid == os.geteuid()
        and not is_of_the_system(look.path)
    )
    return "it lies in no watched folder", _JUDGE if is_taken else _CHECK


def _own(look: _Look) -> _Answer:
    settings = look.settings
    for each in (settings.released, settings.quarantine, settings.state):
        folder = os.path.realpath(os.fsencode(each))
        if (look.path + b"/").startswith(folder + b"/"):
            return f"{show(folder)} is not watched, as checkfirst puts files there", _NOTHING
    return None


def _folder(look: _Look) -> _Answer:
    if not stat.S_ISDIR(look.seen.st_mode):
        return None
    if look.settings.intake.recursive:
        return "it is a folder; the files in it are taken, each for itself", _NOTHING
    return (
        "it is a folder, and what lies in sub-folders is left alone (intake.recursive: false)",
        "To have files in it judged now: checkfirst take FILE...",
    )


def _in_a_folder(look: _Look) -> _Answer:
    if look.settings.intake.recursive or b"/" not in look.below:
        return None
    return "it lies in a sub-folder, and those are left alone (intake.recursive: false)", _JUDGE


def _no_file(look: _Look) -> _Answer:
    words = next((words for is_it, words in _KINDS if is_it(look.seen.st_mode)), None)
    return (f"{words}; only regular files are taken", _NOTHING) if words else None


def _ignored(look: _Look) -> _Answer:
    glob = ignored(os.path.basename(look.path), look.settings.intake.ignore)
    return (f"its name matches {escape(glob)} in intake.ignore", _JUDGE) if glob else None


def _existing(look: _Look) -> _Answer:
    state, seen = os.fsencode(look.settings.state), look.seen
    baseline = Baseline(os.path.join(state, BASELINE_FILE), look.clock.now)
    baseline.load_blocking()
    if not baseline.spares_blocking(look.root or b"", look.path, seen.st_dev, seen.st_ino):
        return None
    return "it was there before the first start (intake.existing: leave)", _JUDGE


def _stopped(look: _Look) -> _Answer:
    if running_pid(look.settings.state) is not None:
        return None
    return "checkfirst does not run", "It is looked at when it starts: checkfirst run"


def _unfinished(look: _Look) -> _Answer:
    kinds = {temporary(part) for part in look.below.split(b"/")} - {Temporary.NO}
    if not kinds:
        return None
    inert = look.settings.intake.temporary_expires
    expires = duration_text(timedelta(seconds=OTHER_EXPIRES) if Temporary.OTHER in kinds else inert)
    to_do = f"It is taken when it gets another name, or {expires} after its last change."
    return "it has the name of a download that is not finished", to_do


def _partnered(look: _Look) -> _Answer:
    beside = partner(look.path)
    if not os.path.lexists(beside):
        return None
    what = f"{show(os.path.basename(beside))} lies beside it, so aria2 is not finished with it"
    return what, "It is taken when that is gone."


def _empty(look: _Look) -> _Answer:
    return None if look.seen.st_size else ("it is empty", "It is taken once something is in it.")


def _written_to(look: _Look) -> _Answer:
    try:
        descriptor = os.open(look.path, _OPEN)
    except OSError:  # nobody can tell then, and that is no reason
        return None
    try:
        ignore_lease_breaks()
        if lease_blocking(descriptor) is not False:
            return None
    finally:
        os.close(descriptor)
    file = (look.seen.st_dev, look.seen.st_ino)
    holder = holders_blocking([file])[file]
    return f"{holder} has it open for writing", "It is taken when that program closes it."


def _too_soon(look: _Look) -> _Answer:
    settle, sweep = map(duration_text, (look.settings.intake.settle, look.settings.intake.sweep))
    to_do = f"It is taken once it has not changed for {settle}, at the latest after {sweep}."
    return "it came just now, or still changes", f"{to_do} Is it not: checkfirst status"


_REASONS: tuple[Callable[[_Look], _Answer], ...] = (
    _own,
    _elsewhere,
    _folder,
    _in_a_folder,
    _no_file,
    _ignored,
    _existing,
    _stopped,
    _unfinished,
    _partnered,
    _empty,
    _written_to,
    _too_soon,
)
"""In the order in which they count; the last always has an answer."""
