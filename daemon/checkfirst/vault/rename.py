"""Renaming, linking and unlinking that never replace and never remove what was not meant.

The names of `rename_noreplace` may be absolute, or relative to folder descriptors.
"""

import errno
import os
import stat
from collections.abc import Callable
from typing import Final

from checkfirst.model import Stamp
from checkfirst.vault import kernel

_NOT_OFFERED: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
"""RENAME_NOREPLACE on NFS, 9p and most of FUSE; renameat2 on old kernels."""

_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK})
"""link(2) on FAT and its like (EPERM), and on FUSE filesystems without it."""


def rename_noreplace(
    source: bytes, target: bytes, *, source_fd: int | None = None, target_fd: int | None = None
) -> None:
    """Rename, and raise FileExistsError where `os.rename` would silently replace."""
    try:
        kernel.rename_exclusive(
            source,
            target,
            kernel.AT_FDCWD if source_fd is None else source_fd,
            kernel.AT_FDCWD if target_fd is None else target_fd,
        )
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
    else:
        return
    try:
        rename_by_link(source, target, source_fd, target_fd)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        rename_by_reservation(source, target, source_fd, target_fd)


def rename_by_link(
    source: bytes, target: bytes, source_fd: int | None, target_fd: int | None
) -> None:
    """Link the new name, then unlink the old; a crash between leaves one file with two names."""
    # Without follow_symlinks=False, os.link follows or not depending on the descriptors given.
    os.link(source, target, src_dir_fd=source_fd, dst_dir_fd=target_fd, follow_symlinks=False)
    try:
        os.unlink(source, dir_fd=source_fd)
    except OSError:
        os.unlink(target, dir_fd=target_fd)
        raise


def rename_by_reservation(
    source: bytes, target: bytes, source_fd: int | None, target_fd: int | None
) -> None:
    """Where there are no links either: reserve the name with an empty file, then rename over it.

    Only our own, still empty reservation is ever replaced. A crash between leaves it behind, and
    the file where it was.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(target, flags, 0o600, dir_fd=target_fd)
    try:
        ours = os.fstat(descriptor)
        there = os.stat(target, dir_fd=target_fd, follow_symlinks=False)
        if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino) or ours.st_size:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        try:
            os.rename(source, target, src_dir_fd=source_fd, dst_dir_fd=target_fd)
        except OSError:
            os.unlink(target, dir_fd=target_fd)
            raise
    finally:
        os.close(descriptor)


def is_there(name: bytes, stamp: Stamp, dir_fd: int | None = None) -> bool:
    """Whether that very inode is what lies under the name now."""
    try:
        seen = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (seen.st_dev, seen.st_ino) == (stamp.dev, stamp.ino) and stat.S_ISREG(seen.st_mode)


def unlink_if_same(name: bytes, stamp: Stamp, dir_fd: int | None = None) -> bool:
    """Unlink the name only while it still means that inode; say whether it did.

    Linux has no unlink by descriptor, so a swap within the microseconds between look and unlink
    would go unseen.
    """
    if not is_there(name, stamp, dir_fd):
        return False
    os.unlink(name, dir_fd=dir_fd)
    return True


def put_under_free_name(
    candidate: Callable[[int], bytes], put: Callable[[bytes], None], dir_fd: int
) -> bytes:
    """Give `put` the candidates 0, 1, 2, … until it raises no FileExistsError; the name it took.

    A row of a thousand taken names is not tried one by one: steps are doubled, then halved.
    """
    n = 0
    while True:
        name = candidate(n)
        try:
            put(name)
        except FileExistsError:
            n = next_free(lambda k: exists(candidate(k), dir_fd), n)
        else:
            return name


def next_free(taken: Callable[[int], bool], low: int) -> int:
    """A number above `low` (which is taken) that is free while the one before it is taken."""
    step = 1
    while taken(low + step):
        low += step
        step *= 2
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        if taken(middle):
            low = middle
        else:
            high = middle
    return high


def exists(name: bytes, dir_fd: int) -> bool:
    """Whether anything at all has that name, a dangling link included."""
    try:
        os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
