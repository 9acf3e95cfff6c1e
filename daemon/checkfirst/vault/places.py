"""Where files may lie, and what a start finds there: held files, quarantined ones, scratch."""

import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from checkfirst.model import Arrival, State
from checkfirst.vault.payload import PAYLOAD, is_sealed_blocking, seal_blocking
from checkfirst.vault.quarantine import read_report_blocking
from checkfirst.vault.restore import remove_reports_blocking, restoring_to_blocking

_SCRATCH: Final = re.compile(rb"\.checkfirst-.*\.partial|.*\.trial", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Places:
    """Where files may lie."""

    held: tuple[bytes, ...]
    """Every held folder."""
    released: bytes
    quarantine: bytes
    relative: Callable[[Arrival], bytes]
    """The path below the released folder that a file was to have."""


def is_file_blocking(path: bytes) -> bool:
    """Whether a regular file lies there; a link to one is none."""
    return os.path.isfile(path) and not os.path.islink(path)


def lying_blocking(held: Iterable[bytes]) -> list[tuple[bytes, os.stat_result]]:
    """The files in the slots of the held folders."""
    found = []
    for folder in held:
        for slot, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(slot, name)
                # Below the held folder itself lie slots alone; scratch files are no arrivals.
                if slot != folder and is_file_blocking(path):
                    found.append((path, os.lstat(path)))
    return found


def folders_blocking(quarantine: bytes) -> list[bytes]:
    """The folders of the quarantine, one a file."""
    return list(_entries_blocking(quarantine, stat.S_ISDIR))


def seal_all_blocking(quarantine: bytes) -> None:
    """Make every payload unreadable that is not."""
    for folder in folders_blocking(quarantine):
        with contextlib.suppress(OSError):
            if not is_sealed_blocking(folder):
                seal_blocking(folder)


def reported_blocking(folders: Iterable[bytes]) -> list[Arrival]:
    """Rows for folders of the quarantine, as far as their own reports tell.

    A folder that was being restored is that still; one without a payload else was being deleted.
    """
    found = []
    for folder in folders:
        report = read_report_blocking(folder)
        if report is None:
            continue
        arrival = report.arrival(folder)._replace(id=report.id)
        if restoring_to_blocking(folder) is not None:
            found.append(arrival._replace(state=State.RESTORING))
        elif os.path.lexists(os.path.join(folder, PAYLOAD)):
            found.append(arrival)
        else:
            found.append(arrival._replace(state=State.DELETING))
    return found


def clear_scratch_blocking(places: Places) -> None:
    """Remove what a crash left half made. No other process may be at work in these places.

    Only where no arrival can lie, whatever its name: beside the slots, and reports without payload.
    """
    for folder in places.held:
        for path in _entries_blocking(folder, stat.S_ISREG):
            if _SCRATCH.fullmatch(os.path.basename(path)):
                with contextlib.suppress(OSError):
                    os.unlink(path)
    for path in _entries_blocking(places.quarantine, stat.S_ISDIR):
        if _SCRATCH.fullmatch(os.path.basename(path)):
            with contextlib.suppress(OSError):
                remove_reports_blocking(path)


def _entries_blocking(folder: bytes, kind: Callable[[int], bool]) -> Iterator[bytes]:
    """What lies in the folder, of one kind; links are not followed."""
    try:
        names = os.listdir(folder)
    except OSError:  # missing or broken: told where it is made, and no reason not to start
        return
    for name in names:
        path = os.path.join(folder, name)
        with contextlib.suppress(OSError):
            if kind(os.lstat(path).st_mode):
                yield path
