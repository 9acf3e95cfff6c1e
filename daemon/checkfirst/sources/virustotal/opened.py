"""Opens a file that is to be uploaded, before it is moved on. Knows nothing of the upload."""

import os
import stat
from collections.abc import Iterable

from checkfirst.policy.names import escape


class NotThatFileError(Exception):
    """The file is there and is not the one that was meant."""


def open_blocking(paths: Iterable[bytes], size: int) -> int:
    """Open the first of the copies that can be opened, read-only.

    Raises OSError when none can, and NotThatFileError when what is there has another size.
    """
    failed: OSError = FileNotFoundError(None, "no copy of it is where it was")
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    changed = False
    for path in paths:
        try:
            descriptor = os.open(path, flags)
        except OSError as error:
            failed = error
            continue
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_size == size:
            return descriptor
        os.close(descriptor)
        changed = True
    if changed:
        raise NotThatFileError
    raise failed


def words(error: OSError) -> str:
    """Say why it cannot be opened."""
    return escape(error.strerror or type(error).__name__)
