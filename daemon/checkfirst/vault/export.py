"""Copies of quarantined files for somebody who is to look at them: one encrypted zip.

The payloads stay where they are and unreadable as they are. What goes into the zip is, byte for
byte, what was judged, each beside its two reports. Nothing is ever overwritten, and a zip that
could not be finished leaves no trace.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from checkfirst.errors import FileProblem
from checkfirst.model import Arrival
from checkfirst.vault.encrypted_zip import EncryptedZip
from checkfirst.vault.folder import make_folder_blocking, open_folder_blocking, sync_folder_blocking
from checkfirst.vault.grip import Grip, grasp_blocking
from checkfirst.vault.payload import PAYLOAD, grasp_payload_blocking
from checkfirst.vault.problems import GoneError, NotAFileError, TamperedError, translate
from checkfirst.vault.quarantine import REPORT, TEXT
from checkfirst.vault.rename import put_under_free_name, rename_noreplace

PASSWORD: Final = b"infected"
"""As everybody who handles such files expects."""

_CHUNK: Final = 256 * 1024
_LARGEST_REPORT: Final = 1024 * 1024
_READING: Final = "read the file in the quarantine"
_WRITING: Final = "write the zip"


@dataclass(frozen=True, slots=True)
class Exported:
    """The zip, and what of the files could not be put into it."""

    path: bytes | None
    """None when there was nothing to put into one."""
    problems: tuple[tuple[Arrival, FileProblem], ...]


def export_blocking(
    rows: Sequence[Arrival],
    folder: bytes,
    candidate: Callable[[int], bytes],
    read: Callable[[int], object],
) -> Exported:
    """Write the zip into `folder` under the first candidate that is free.

    `candidate` gives the n-th name to try and raises FileExistsError when there are no more.
    `read` hears of each piece how many bytes it has. Raises FileProblem when no zip can be written.
    """
    partial = b".checkfirst-export-%d.partial" % os.getpid()
    place = os.path.join(folder, candidate(0))
    try:
        there = make_folder_blocking(folder)
        try:
            with _new_file_blocking(there, partial) as file:
                written, problems = _filled_blocking(file, rows, read)
                if not written:
                    return Exported(None, tuple(problems))
                file.flush()
                os.fsync(file.fileno())
                name = put_under_free_name(
                    candidate,
                    lambda name: rename_noreplace(partial, name, source_fd=there, target_fd=there),
                    there,
                )
            sync_folder_blocking(there)
        finally:
            os.close(there)
    except OSError as error:
        raise translate(error, _WRITING, place) from error
    return Exported(os.path.join(folder, name), tuple(problems))


@contextlib.contextmanager
def _new_file_blocking(folder: int, name: bytes) -> Iterator[BinaryIO]:
    """A private file that is gone when the block is left, unless it has another name by then."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.suppress(FileNotFoundError):  # of a process that had our number and was killed
        os.unlink(name, dir_fd=folder)
    file = open(os.open(name, flags, 0o600, dir_fd=folder), "wb")  # noqa: SIM115  (closed below)
    try:
        yield file
    finally:
        with contextlib.suppress(OSError):  # a full disk once more; it has been told
            file.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)


def _filled_blocking(
    file: BinaryIO, rows: Sequence[Arrival], read: Callable[[int], object]
) -> tuple[int, list[tuple[Arrival, FileProblem]]]:
    """How many files are in it, and what was wrong with the others."""
    packed = EncryptedZip(file, PASSWORD)
    problems: list[tuple[Arrival, FileProblem]] = []
    copies: dict[str, int] = {}
    for row in rows:
        try:
            _add_blocking(packed, row, copies, read)
        except FileProblem as problem:
            problems.append((row, problem))
    packed.finish_blocking()
    return sum(copies.values()), problems


def _add_blocking(
    packed: EncryptedZip, row: Arrival, copies: dict[str, int], read: Callable[[int], object]
) -> None:
    """The payload under its hash, once; the reports of every file that has these bytes."""
    path, sha256 = row.destination or b"", row.sha256 or ""
    payload = os.path.join(path, PAYLOAD)
    try:
        folder = open_folder_blocking(path)
        try:
            with _opened_blocking(folder, payload) as grip:
                modified = (row.mtime_ns or grip.stamp.mtime_ns) / 1e9
                pieces = _pieces_blocking(grip, sha256, read)
                if sha256 not in copies:
                    packed.add_blocking(sha256, grip.stamp.size, modified, pieces)
            reports = [(name, _report_blocking(folder, name)) for name in (TEXT, REPORT)]
        finally:
            os.close(folder)
    except FileNotFoundError as error:
        raise GoneError(payload) from error
    copies[sha256] = copies.get(sha256, 0) + 1
    number = f".{copies[sha256]}" if copies[sha256] > 1 else ""
    for name, data in reports:
        if data is not None:
            shown = f"{sha256}{number}.{name.decode()}"
            packed.add_blocking(shown, len(data), row.finished_at or modified, [data])


def _opened_blocking(folder: int, payload: bytes) -> Grip:
    try:
        grip = grasp_payload_blocking(b".", dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise translate(error, _READING, payload) from error
    grip.path = payload
    return grip


def _pieces_blocking(grip: Grip, sha256: str, read: Callable[[int], object]) -> Iterator[bytes]:
    """All bytes; TamperedError when they are not those of the hash, at once when there are more."""
    hasher = hashlib.sha256()
    offset = 0
    while True:
        try:
            piece = os.pread(grip.descriptor, _CHUNK, offset)
        except OSError as error:
            raise translate(error, _READING, grip.path) from error
        if not piece:
            break
        hasher.update(piece)
        offset += len(piece)
        if offset > grip.stamp.size:
            raise TamperedError(grip.path)
        yield piece
        read(len(piece))
    if hasher.hexdigest() != sha256:
        raise TamperedError(grip.path)


def _report_blocking(folder: int, name: bytes) -> bytes | None:
    """What a report says; None where there is none that can be read."""
    try:
        with grasp_blocking(name, lease=False, dir_fd=folder) as grip:
            return os.read(grip.descriptor, _LARGEST_REPORT)
    except (OSError, NotAFileError):
        return None
