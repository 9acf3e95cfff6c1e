"""Putting a file where it can do no harm, beside a report that says what it is.

One folder (0700) per file: `payload.quarantined` with mode 0000, since a file manager goes by the
content and not by the suffix, `report.json` and `report.txt`. The reports are written before the
payload moves in, so that a payload in the quarantine is never without its story.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from checkfirst.clock import iso
from checkfirst.model import Stamp
from checkfirst.policy.names import quarantine_folder, show
from checkfirst.vault.digest import digest_blocking
from checkfirst.vault.failpoint import failpoint
from checkfirst.vault.folder import make_folder_blocking, names_in_blocking, open_folder_blocking
from checkfirst.vault.grip import Grip, grasp_blocking, stamp_of
from checkfirst.vault.move import Moved, Target, move_blocking
from checkfirst.vault.payload import PAYLOAD, grasp_payload_blocking
from checkfirst.vault.placed import Placed
from checkfirst.vault.problems import ChangedError, NotAFileError, translate
from checkfirst.vault.rename import exists, next_free, unlink_if_same
from checkfirst.vault.report import LARGEST, Report
from checkfirst.vault.report_text import to_text

REPORT: Final = b"report.json"
TEXT: Final = b"report.txt"

_NEVER: Final = "1970-01-01"
_TAKEN: Final = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR})


@dataclass(frozen=True, slots=True)
class Found:
    """A folder of the quarantine as it lies there."""

    folder: bytes
    report: Report | None
    """None when there is none, or nonsense."""
    payload: Stamp | None
    """None when there is no regular file of that name."""


def quarantine_blocking(
    grip: Grip,
    held: bytes,
    quarantine: bytes,
    report: Report,
    stopped: Callable[[], bool] | None = None,
) -> Placed:
    """Move the held file into a folder of its own below `quarantine`; `path` is that folder.

    May be called again after a crash, with the same report: what was begun is then finished, and
    a payload that is there already and whole is not put there twice.

    Raises ChangedError, GoneError, BusyError, StoppedError or DiskError; the file is then still
    held, and nothing in the quarantine says otherwise.
    """
    try:
        top = make_folder_blocking(quarantine, 0o700)
        try:
            name, folder = _own_folder_blocking(top, quarantine, report, stopped)
            try:
                moved = _filled_blocking(grip, held, folder, report, stopped)
            except Exception:
                _withdrawn_blocking(top, name, folder)
                raise
            finally:
                os.close(folder)
        finally:
            os.close(top)
    except OSError as error:
        doing = f"move {show(os.path.basename(held))} into the quarantine"
        raise translate(error, doing, quarantine) from error
    return Placed(os.path.join(quarantine, name), moved.fresh, moved.other_names)


def read_report_blocking(folder: bytes) -> Report | None:
    """The report in a folder of the quarantine; None when there is none that can be believed."""
    try:
        descriptor = open_folder_blocking(folder)
        try:
            return _report_blocking(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        return None


def scan_blocking(quarantine: bytes) -> Iterator[Found]:
    """All folders of the quarantine, in the order of their names; links are not followed."""
    try:
        names = sorted(os.listdir(quarantine))
    except FileNotFoundError:
        return
    for name in names:
        if name.startswith(b".checkfirst-"):  # reports of a folder that never got its name
            continue
        folder = os.path.join(quarantine, name)
        try:
            descriptor = open_folder_blocking(folder)
        except OSError:
            continue
        try:
            yield Found(folder, _report_blocking(descriptor), payload_blocking(descriptor))
        finally:
            os.close(descriptor)


def payload_blocking(folder: int) -> Stamp | None:
    """How the payload looks, if there is one."""
    try:
        seen = os.stat(PAYLOAD, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return stamp_of(seen) if stat.S_ISREG(seen.st_mode) else None


def _own_folder_blocking(
    top: int, quarantine: bytes, report: Report, stopped: Callable[[], bool] | None
) -> tuple[bytes, int]:
    """Make the folder with its reports, or find the one that a crash left; name and descriptor.

    It gets its name when the reports are in it, so that no folder is without.
    """
    day = (iso(report.decided_at or report.arrived_at) or _NEVER)[:10]

    def name(n: int) -> bytes:
        return os.fsencode(quarantine_folder(day, report.name, report.sha256, n))

    def taken(n: int) -> bool:
        return exists(name(n), top) and not _is_begun_blocking(top, name(n), report, stopped)

    n = next_free(taken, 0) if taken(0) else 0
    while not exists(name(n), top):
        path = os.path.join(quarantine, name(n))
        staged = _staged_blocking(top, replace(report, destination=path))
        try:
            # Of all there could be, rename(2) lets a folder replace only an empty folder.
            os.rename(staged, name(n), src_dir_fd=top, dst_dir_fd=top)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            n = next_free(taken, n)
        failpoint("quarantine.named")
    return name(n), open_folder_blocking(name(n), top)


def _withdrawn_blocking(top: int, name: bytes, folder: int) -> None:
    """Take reports away whose payload did not come: the file would be looked for beside them.

    The folder is scratch from the first step on, so that after a crash the next start clears it.
    """
    with contextlib.suppress(OSError):
        if set(names_in_blocking(folder)) - {TEXT, REPORT}:
            return
        scratch = b".checkfirst-%d.partial" % os.fstat(folder).st_ino
        os.rename(name, scratch, src_dir_fd=top, dst_dir_fd=top)
        for report in (TEXT, REPORT):
            os.unlink(report, dir_fd=folder)
        os.rmdir(scratch, dir_fd=top)


def _staged_blocking(top: int, report: Report) -> bytes:
    name = b".checkfirst-%d-%s.partial" % (report.id, report.sha256[:8].encode())
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=top)
    folder = open_folder_blocking(name, top)
    try:
        failpoint("quarantine.folder")
        _write_blocking(folder, TEXT, to_text(report).encode())
        failpoint("quarantine.text")
        _write_blocking(folder, REPORT, report.to_json(), durable=True)
        failpoint("quarantine.report")
    finally:
        os.close(folder)
    return name


def _is_begun_blocking(
    top: int, name: bytes, report: Report, stopped: Callable[[], bool] | None
) -> bool:
    """Whether the folder was made for this very arrival, and nothing strange is in it."""
    try:
        folder = open_folder_blocking(name, top)
    except OSError:
        return False
    try:
        there = _report_blocking(folder)
        if there is None or (there.id, there.origin, there.sha256) != (
            report.id,
            report.origin,
            report.sha256,
        ):
            return False
        payload = payload_blocking(folder)
        if payload is None:  # nothing is there, or what is there is no file
            return PAYLOAD not in names_in_blocking(folder)
        return not payload.size or _is_whole_blocking(folder, report.sha256, stopped)
    finally:
        os.close(folder)


def _filled_blocking(
    grip: Grip,
    held: bytes,
    folder: int,
    report: Report,
    stopped: Callable[[], bool] | None,
) -> Moved:
    payload = payload_blocking(folder)
    if payload is not None and _is_whole_blocking(folder, report.sha256, stopped):
        links = os.fstat(grip.descriptor).st_nlink
        unlink_if_same(held, grip.stamp)
        return Moved(PAYLOAD, fresh=True, other_names=max(links - 1, 0))
    if payload is not None:  # an empty reservation, see rename_by_reservation
        unlink_if_same(PAYLOAD, payload, folder)
    target = Target("quarantine", folder, _only_payload, report.sha256, mode=0)
    return move_blocking(grip, held, target, stopped)


def _only_payload(n: int) -> bytes:
    if n:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), PAYLOAD)
    return PAYLOAD


def _is_whole_blocking(folder: int, sha256: str, stopped: Callable[[], bool] | None) -> bool:
    """Whether the payload is what it should be."""
    try:
        with grasp_payload_blocking(b".", dir_fd=folder) as grip:
            return digest_blocking(grip, stopped) == sha256
    except (ChangedError, NotAFileError, OSError):
        return False


def _report_blocking(folder: int) -> Report | None:
    try:
        with grasp_blocking(REPORT, lease=False, dir_fd=folder) as grip:
            return Report.from_json(os.read(grip.descriptor, LARGEST + 1))
    except (NotAFileError, OSError, ValueError):
        return None


def _write_blocking(folder: int, name: bytes, data: bytes, *, durable: bool = False) -> None:
    """Write a report anew; `durable` ones are on the disk before anything else happens."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=folder)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if durable:
            os.fsync(descriptor)
