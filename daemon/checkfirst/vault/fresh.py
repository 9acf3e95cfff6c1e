"""Copying into a fresh inode that nobody else has ever had open.

The way for another filesystem, for a file with other hard links, and where no lease can vouch for
the bytes. The copy has no name (O_TMPFILE) until it is whole, on the disk, and known to be what
was asked for; a crash or a full disk leaves no trace. Where nameless files are not offered it is
`.checkfirst-<device>-<inode>.partial` meanwhile, which the next try clears away. In the held
folder that lies beside the slots, where no arrival is looked for.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from typing import Final

from checkfirst.vault.digest import (
    CHUNK,
    LOOK_UP_BYTES,
    buffer_of_this_thread,
    digest_blocking,
    look_up_blocking,
)
from checkfirst.vault.grip import Grip, stamp_of
from checkfirst.vault.problems import ChangedError
from checkfirst.vault.rename import rename_noreplace

_TMPFILE: Final[int | None] = getattr(os, "O_TMPFILE", None)
_OWN_DESCRIPTORS: Final = b"/proc/self/fd"
_NO_TMPFILE: Final = frozenset(
    {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.ENOSYS}
)
_ZEROS: Final = memoryview(bytes(CHUNK))
KEPT_MODE: Final = 0o1777
"""Everything but set-user-id and set-group-id."""


class Fresh:
    """A finished copy that still lacks its name."""

    def __init__(
        self, descriptor: int, folder: int, partial: tuple[int, bytes] | None, sha256: str
    ) -> None:
        self.descriptor = descriptor
        self.sha256 = sha256
        self._folder = folder
        self._partial = partial
        """The folder and the name that it has meanwhile."""

    def put_blocking(self, name: bytes) -> None:
        """Give it its name in the folder; FileExistsError when that is taken."""
        if self._partial is None:
            # linkat(2) follows the magic link only when a descriptor of the folder is passed.
            os.link(
                _OWN_DESCRIPTORS + b"/%d" % self.descriptor,
                name,
                dst_dir_fd=self._folder,
                follow_symlinks=True,
            )
        else:
            where, partial = self._partial
            rename_noreplace(partial, name, source_fd=where, target_fd=self._folder)


@contextlib.contextmanager
def fresh_copy_blocking(
    grip: Grip,
    folder: int,
    *,
    sha256: str | None,
    mode: int,
    mtime_ns: int | None = None,
    stopped: Callable[[], bool] | None = None,
    beside: int | None = None,
) -> Iterator[Fresh]:
    """Copy the file into the folder, without a name; it vanishes again unless it is given one.

    `beside` is another folder of that filesystem, in which it lies until it has its name.

    The bytes are hashed on their way, must equal `sha256` where that is given, and are read back
    after fsync. Kept are mtime, owner where we may, holes, and extended attributes other than
    `security.*` (a label or a capability is for the system to give). ChangedError when the file is
    not what was expected; OSError, ENOSPC before anything is written where that is foreseeable.
    """
    source = os.fstat(grip.descriptor)
    room = os.statvfs(folder)
    if room.f_blocks and room.f_bavail * room.f_frsize < source.st_blocks * 512:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), grip.path)
    where = folder if beside is None else beside
    descriptor, partial = _nameless_blocking(grip, where)
    try:
        found = _copied_blocking(grip, descriptor, stopped)
        if sha256 is not None and found != sha256:
            raise ChangedError(grip.path)
        _dressed_blocking(grip, descriptor, source, mode)
        mtime_ns = source.st_mtime_ns if mtime_ns is None else mtime_ns
        os.utime(descriptor, ns=(source.st_atime_ns, mtime_ns))
        os.fsync(descriptor)
        _read_back_blocking(grip, descriptor, found, stopped)
        yield Fresh(descriptor, folder, None if partial is None else (where, partial), found)
    finally:
        if partial is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(partial, dir_fd=where)
        os.close(descriptor)


def _nameless_blocking(grip: Grip, folder: int) -> tuple[int, bytes | None]:
    if _TMPFILE is not None and os.path.isdir(_OWN_DESCRIPTORS):
        try:
            flags = os.O_RDWR | os.O_CLOEXEC | _TMPFILE
            return os.open(b".", flags, 0o600, dir_fd=folder), None
        except OSError as error:
            if error.errno not in _NO_TMPFILE:
                raise
    return _partial_blocking(grip, folder)


def _partial_blocking(grip: Grip, folder: int) -> tuple[int, bytes]:
    name = b".checkfirst-%x-%d.partial" % (grip.stamp.dev, grip.stamp.ino)
    with contextlib.suppress(FileNotFoundError):
        left_over = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISREG(left_over.st_mode) and left_over.st_uid == os.geteuid():
            os.unlink(name, dir_fd=folder)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(name, flags, 0o600, dir_fd=folder), name


def _copied_blocking(grip: Grip, target: int, stopped: Callable[[], bool] | None) -> str:
    """Copy data, leave holes, hash both; the SHA-256 of what the copy holds now."""
    hasher = hashlib.sha256()
    size = grip.stamp.size
    offset = 0
    for start, end in _data_blocking(grip.descriptor, size):
        _hash_hole_blocking(grip, start - offset, hasher.update, stopped)
        offset = _copied_stretch_blocking(grip, target, (start, end), hasher.update, stopped)
    _hash_hole_blocking(grip, size - offset, hasher.update, stopped)
    os.ftruncate(target, size)
    if not grip.unchanged_blocking():  # a file cut short looks like one with a hole at its end
        raise ChangedError(grip.path)
    return hasher.hexdigest()


def _copied_stretch_blocking(
    grip: Grip,
    target: int,
    stretch: tuple[int, int],
    update: Callable[[memoryview], None],
    stopped: Callable[[], bool] | None,
) -> int:
    buffer = memoryview(buffer_of_this_thread())
    offset, end = stretch
    next_look = offset + LOOK_UP_BYTES
    while offset < end and (
        got := os.preadv(grip.descriptor, [buffer[: min(CHUNK, end - offset)]], offset)
    ):
        update(buffer[:got])
        written = 0
        while written < got:
            written += os.pwrite(target, buffer[written:got], offset + written)
        offset += got
        if offset >= next_look:
            next_look = offset + LOOK_UP_BYTES
            look_up_blocking(grip, stopped)
    return offset


def _data_blocking(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """The stretches that hold data; all of it where the filesystem does not tell (lseek(2))."""
    offset = 0
    while offset < size:
        try:
            start = os.lseek(descriptor, offset, os.SEEK_DATA)
            end = min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole to the end
                return
            start, end = offset, size
        if start >= size:
            return
        yield start, end
        offset = end


def _hash_hole_blocking(
    grip: Grip,
    length: int,
    update: Callable[[memoryview], None],
    stopped: Callable[[], bool] | None,
) -> None:
    while length > 0:
        update(_ZEROS[:length])
        length -= CHUNK
        if length % LOOK_UP_BYTES < CHUNK:
            look_up_blocking(grip, stopped)


def _dressed_blocking(grip: Grip, target: int, source: os.stat_result, mode: int) -> None:
    """Owner first, as chown(2) may clear bits of the mode."""
    for owner, group in ((source.st_uid, source.st_gid), (-1, source.st_gid)):
        try:
            os.fchown(target, owner, group)
        except PermissionError:
            continue
        break
    if hasattr(os, "listxattr"):
        # Before the mode: who may not write to a file may not mark it (xattr(7)). The mode after,
        # as an access list may have set the group's bits.
        _copy_attributes_blocking(grip.descriptor, target)
    os.fchmod(target, mode & KEPT_MODE)


def _copy_attributes_blocking(source: int, target: int) -> None:
    try:
        names = os.listxattr(source)
    except OSError:
        return
    for name in names:
        if not name.startswith("security."):
            with contextlib.suppress(OSError):  # not ours to set, or not offered over there
                os.setxattr(target, name, os.getxattr(source, name))


def _read_back_blocking(
    grip: Grip, target: int, sha256: str, stopped: Callable[[], bool] | None
) -> None:
    if hasattr(os, "posix_fadvise"):  # from the disk, not from memory
        os.posix_fadvise(target, 0, 0, os.POSIX_FADV_DONTNEED)
    copy = Grip(target, grip.path, stamp_of(os.fstat(target)), None)
    if digest_blocking(copy, stopped) != sha256:
        raise OSError(errno.EIO, os.strerror(errno.EIO), grip.path)
