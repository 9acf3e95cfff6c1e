"""The log's file: rotating, private, and never a reason for the program to stop.

A line is one write(2) on a descriptor opened for appending, so `tail -F` sees whole lines. What
cannot be written is counted, said once, and made up for by a line that tells how many are missing.
"""

import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path


class LogFile(logging.Handler):
    """Appends to `path`; at `rotate` bytes moves it to `path.1` and so on, up to `path.keep`.

    `rotate` 0: never. A file that was removed or moved away from under us is opened anew, one that
    is no regular file (`/dev/stderr`) is never rotated. Others may append to
    it meanwhile, line by line; one process alone may rotate it.
    """

    def __init__(
        self, path: Path, *, rotate: int, keep: int, complain: Callable[[str], object]
    ) -> None:
        """`complain` is told once, in a sentence, when lines begin to be lost."""
        super().__init__()
        self._path = path
        self._rotate = rotate
        self._keep = keep
        self._complain = complain
        self._fd = -1
        self._size = 0
        self._torn = False
        self._lost = 0
        self._lost_why = ""

    @property
    def lost(self) -> int:
        """How many lines could not be written since the last one that could."""
        return self._lost

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; never raises OSError."""
        try:
            line = self._encoded(record)
        except Exception:  # noqa: BLE001  (the thread that writes must outlive any record)
            self.handleError(record)
            return
        try:
            self._make_ready_blocking(len(line))
            if self._lost:
                self._write_blocking(self._encoded(self._gap(record.created)))
                self._lost = 0
            self._write_blocking(line)
        except OSError as error:
            self._lose(error)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's own name)
        """Count a record that could not even be formatted; logging's own way is a traceback."""
        del record
        self._lose(None)

    def close(self) -> None:
        """Close the file; the next line would open it again."""
        self._close_file()
        super().close()

    def _encoded(self, record: logging.LogRecord) -> bytes:
        return (self.format(record) + "\n").encode("utf-8", "backslashreplace")

    def _gap(self, created: float) -> logging.LogRecord:
        text = f"lines missing here: {self._lost}; {self._lost_why}"
        return logging.makeLogRecord(
            {
                "created": created,
                "event": "problem",
                "levelno": logging.ERROR,
                "levelname": "ERROR",
                "msg": text,
            }
        )

    def _lose(self, error: OSError | None) -> None:
        self._close_file()
        self._lost += 1
        if self._lost == 1:
            why = (
                (error.strerror or type(error).__name__)
                if error
                else "a record could not be formatted"
            )
            self._lost_why = f"the log could not be written ({why})"
            self._complain(f"checkfirst: {self._lost_why}; going on without it")

    def _make_ready_blocking(self, more: int) -> None:
        if self._fd >= 0 and not self._still_there_blocking():
            self._close_file()
        if self._fd < 0:
            self._open_blocking()
        if self._rotate and self._size and self._size + more > self._rotate:
            self._rotate_blocking()

    def _still_there_blocking(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._fd))
        except FileNotFoundError:
            return False

    def _open_blocking(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, 0o600)
        status = os.fstat(self._fd)
        regular = stat.S_ISREG(status.st_mode)
        self._size = status.st_size if regular else 0
        self._torn = self._size > 0 and os.pread(self._fd, 1, self._size - 1) != b"\n"

    def _rotate_blocking(self) -> None:
        """Move the files up by one; where that is refused, go on in the file we have."""
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            return
        names = [self._path, *(numbered(self._path, n) for n in range(1, self._keep + 1))]
        try:
            if self._keep:
                for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
                    if newer.exists():
                        newer.replace(older)
            else:
                self._path.unlink()
        except OSError as error:
            self._size = 0  # tried again when as much has been written once more
            self._complain(f"checkfirst: the log could not be rotated ({error.strerror})")
            return
        self._close_file()
        self._open_blocking()

    def _write_blocking(self, line: bytes) -> None:
        rest = memoryview(b"\n" + line if self._torn else line)
        while rest:
            written = os.write(self._fd, rest)
            self._size += written
            self._torn = True
            rest = rest[written:]
        self._torn = False

    def _close_file(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def numbered(path: Path, n: int) -> Path:
    """Give the name of the n-th older file; 1 is the last one that was full."""
    return path.with_name(f"{path.name}.{n}")
