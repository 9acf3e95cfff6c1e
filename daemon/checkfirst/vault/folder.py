"""Opening folders as descriptors, so that nothing is followed that others put in the way.

O_NOFOLLOW guards only the last component of a path; a swapped parent would still lead anywhere.
So everything below a folder we were given is reached from its descriptor, step by step.
"""

import contextlib
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from checkfirst.vault import kernel

MOST_FOLDERS: Final = 16
"""Open at once for the files of one batch, which may come each from a folder of its own."""

OPEN_FOLDER: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_NO_OPENAT2: Final = frozenset({errno.ENOSYS, errno.EPERM, errno.EINVAL, errno.EAGAIN})
"""An old kernel, a container's filter, or a rename on the way (EAGAIN): walk instead."""


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder."""

    descriptor: int
    path: bytes
    """Where it was found or made; not always what was asked for."""


class Opened:
    """Folders that the files of one batch come from or go to, each opened once if they are few.

    A Folder is good for one file: it is closed once `MOST_FOLDERS` others have been asked for. One
    that has been renamed or replaced since is opened anew: what is done in a folder is said of its
    path.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[bytes, bytes], tuple[Folder, os.stat_result]] = {}

    def get_blocking(
        self, top: bytes, path: bytes, open_blocking: Callable[[bytes, bytes], Folder]
    ) -> Folder:
        """What `open_blocking` gives for the two; it closes its descriptor."""
        found = self._found.pop((top, path), None)
        if found is not None:
            if _is_there_blocking(*found):
                self._found[top, path] = found  # the first in order is the one not used for longest
                return found[0]
            os.close(found[0].descriptor)
        if len(self._found) >= MOST_FOLDERS:
            os.close(self._found.pop(next(iter(self._found)))[0].descriptor)
        folder = open_blocking(top, path)
        self._found[top, path] = folder, os.fstat(folder.descriptor)
        return folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._found:
            os.close(self._found.popitem()[1][0].descriptor)


def _is_there_blocking(folder: Folder, opened: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(folder.path), opened)
    except OSError:
        return False


def among(opened: Opened | None) -> contextlib.AbstractContextManager[Opened]:
    """The folders of a batch, which outlive this file; or some for this file alone."""
    return Opened() if opened is None else contextlib.nullcontext(opened)


def open_folder_blocking(path: bytes, dir_fd: int | None = None) -> int:
    """Open a folder; its last component may not be a symbolic link (ENOTDIR, ELOOP)."""
    return os.open(path, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=dir_fd)


def make_folder_blocking(path: bytes, mode: int = 0o777) -> int:
    """Open a folder that the settings name, and make it when it is missing.

    It may be a symbolic link, as its user chose it, but not one to nowhere (FileExistsError).
    """
    try:
        return os.open(path, OPEN_FOLDER)
    except FileNotFoundError:
        os.makedirs(path, mode, exist_ok=True)
    return os.open(path, OPEN_FOLDER)


def relative_to(root: bytes, path: bytes) -> bytes:
    """The part of an absolute `path` below `root`; ValueError when it is not plainly below."""
    base = root.rstrip(b"/") + b"/"
    relative = path[len(base) :]
    if not path.startswith(base) or not is_plain(relative):
        raise ValueError("path is not below root")
    return relative


def is_plain(relative: bytes) -> bool:
    """Whether a relative path consists of ordinary names alone."""
    return b"\0" not in relative and not {b"", b".", b".."} & set(relative.split(b"/"))


def open_below_blocking(root: bytes, folder: bytes) -> int:
    """Open `folder`, which is `root` or below it, without a symbolic link below `root`.

    ValueError when it is not plainly below; OSError when a link or no folder is there.
    """
    if folder == root.rstrip(b"/"):
        return open_folder_blocking(root)
    below = relative_to(root, folder)
    top = open_folder_blocking(root)
    try:
        return open_beneath_blocking(top, below)
    finally:
        os.close(top)


def open_beneath_blocking(top: int, relative: bytes) -> int:
    """Open a folder some levels below `top`; ELOOP or ENOTDIR at a symbolic link."""
    try:
        return kernel.open_beneath(top, relative, OPEN_FOLDER | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno not in _NO_OPENAT2:
            raise
    return walk_blocking(top, relative, make=False)


def walk_blocking(top: int, relative: bytes, *, make: bool) -> int:
    """Open, and with `make` create, each folder on the way; none of them may be a link."""
    here = os.dup(top)
    try:
        for name in relative.split(b"/"):
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o777, dir_fd=here)  # less the umask, as any program's folder
            below = open_folder_blocking(name, here)
            os.close(here)
            here = below
    except BaseException:
        os.close(here)
        raise
    return here


def names_in_blocking(folder: int) -> list[bytes]:
    """What lies in the folder."""
    descriptor = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return [os.fsencode(name) for name in os.listdir(descriptor)]
    finally:
        os.close(descriptor)


def sync_folder_blocking(folder: int) -> None:
    """Make the names in the folder outlive a power cut, where the filesystem offers that."""
    try:
        descriptor = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    except PermissionError:  # we may write there but not list
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(descriptor)
