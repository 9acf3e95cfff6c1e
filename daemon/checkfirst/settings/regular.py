"""Reading a small file whose name came from a person: never hangs, never reads without end."""

import os
import stat
from pathlib import Path


def read_regular_blocking(path: Path, at_most: int) -> tuple[bytes, int]:
    """The first `at_most` bytes and the mode.

    Raises OSError, with words of its own when it is a folder, a pipe or a device: opening a pipe
    that nobody writes to would wait for ever (fifo(7)), so nothing is waited for.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(0, "it is not a file" if not stat.S_ISDIR(mode) else "it is a folder")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(at_most), mode
    finally:
        os.close(descriptor)
