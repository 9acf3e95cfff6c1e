"""The new list while it is written: it lies beside the old one, and then takes its place."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from checkfirst.errors import Problem
from checkfirst.sources.knowngood.format import shown_path


@dataclass(frozen=True, slots=True)
class Draft:
    """The new list while it is written."""

    path: Path
    descriptor: int

    def put_in_place_blocking(self, target: Path) -> None:
        """Replace the old list by it. Raises OSError."""
        os.fsync(self.descriptor)
        os.replace(self.path, target)
        _sync_folder_blocking(target.parent)


@contextlib.contextmanager
def drafting_blocking(target: Path) -> Iterator[Draft]:
    """A file beside the list that only we write to; gone afterwards, unless it was put in place.

    One that a killed import left behind is written over. Raises Problem.
    """
    path = target.with_name(f"{target.name}.new")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = locked_blocking(path)
    except OSError as error:
        raise in_words(error, target) from error
    try:
        os.ftruncate(descriptor, 0)
        yield Draft(path, descriptor)
    except OSError as error:
        raise in_words(error, target) from error
    finally:
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                os.unlink(path)
        os.close(descriptor)


def in_words(error: OSError, target: Path) -> Problem:
    """What went wrong with the disk, and that the old list still serves."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        title, to_do = "There is no room for the new list", "Make room on that disk"
    else:
        title = f"The new list cannot be written: {error.strerror or error}"
        to_do = "See that the state folder belongs to you and can be written"
    return Problem(
        title,
        f"{to_do}, and import again. The old list, if there was one, still serves.",
        about=shown_path(target.parent),
    )


def write_all_blocking(descriptor: int, content: bytes | bytearray) -> None:
    """Write all of it where the descriptor stands. Raises OSError."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def locked_blocking(path: Path, lock: Callable[[int, int], None] = fcntl.flock) -> int:
    """The draft, opened and ours alone. Raises OSError, and Problem when another has it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise Problem(
                "Another import is at work", "Wait until it is done.", about=shown_path(path)
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # it was put in place, or removed, before we had it


def _sync_folder_blocking(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
