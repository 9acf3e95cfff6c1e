"""Reading what may never come, so that one Ctrl-C ends it.

Python notes a signal when it arrives, and raises KeyboardInterrupt between two steps of the
program. One that arrives when the system is about to be asked for bytes, or in another thread, is
noted and does not end that step: the program sleeps until there is something to read. So it is
waited first, for bytes or for a signal that is noted, and only what is there is read.
"""

import io
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def open_blocking(path: Path) -> io.BufferedReader:
    """Open a file for reading, or a pipe, whose other end may not be there yet. Raises OSError."""

    def at_once(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NONBLOCK)

    return io.BufferedReader(_Interruptible(io.FileIO(path, opener=at_once)))


def standard_input() -> io.BufferedReader:
    """What is given to the program; nothing else may have read from it."""
    return io.BufferedReader(_Interruptible(io.FileIO(sys.stdin.fileno(), closefd=False)))


def line_of_standard_input(at_most: int) -> str:
    """The first line that is given to the program, or so many bytes of it."""
    with standard_input() as stream:
        return stream.readline(at_most).decode(errors="backslashreplace")


class _Interruptible(io.RawIOBase):
    """Reads another stream."""

    def __init__(self, raw: io.FileIO) -> None:
        self._raw = raw
        self._noted, self._notes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._either = select.poll()
        self._either.register(raw.fileno(), select.POLLIN)
        self._either.register(self._noted, select.POLLIN)

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        """Read what is there, at least one byte unless it is the end."""
        while True:
            with _noting(self._notes):
                ready = {descriptor for descriptor, _ in self._either.poll()}
            if self._noted in ready:  # and the signal did not end this
                os.read(self._noted, io.DEFAULT_BUFFER_SIZE)
            if self._raw.fileno() in ready and (count := self._raw.readinto(buffer)) is not None:
                return count

    def close(self) -> None:
        if not self.closed:
            os.close(self._noted)
            os.close(self._notes)
            self._raw.close()
        super().close()


@contextmanager
def _noting(descriptor: int) -> Iterator[None]:
    """Have each signal that arrives meanwhile write a byte there; they reach the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
