"""An open descriptor on a regular file, and what is known of its bytes.

A path can mean another file at any moment; a descriptor cannot. A read lease (fcntl(2),
F_SETLEASE) says besides that nobody has the file open for writing, nor mapped writable, and
that nobody got to write while it was held, which no comparison of times can say: stores through
a mapping leave the times alone until they are written back (measured on ext4).
"""

import errno
import fcntl
import os
import signal
import stat
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from checkfirst.model import Stamp
from checkfirst.vault.problems import BusyError, ChangedError, NotAFileError

_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_PATH: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC
_SET_LEASE: Final[int | None] = getattr(fcntl, "F_SETLEASE", None)
_GET_LEASE: Final = getattr(fcntl, "F_GETLEASE", 0)
_NO_FILE: Final = frozenset({errno.ELOOP, errno.ENXIO, errno.ENODEV})
"""What open(2) says of a symbolic link, of a socket, and of a device without a driver."""


_harmless: Final = threading.Event()
"""SIGIO is. To ask for its handler takes as long as to take a lease."""


class Grip:
    """A regular file held open. Not to be used by two threads at once."""

    __slots__ = ("ctime_tells", "descriptor", "lease", "path", "stamp")

    def __init__(self, descriptor: int, path: bytes, stamp: Stamp, lease: bool | None) -> None:  # noqa: FBT001  (three answers, see below)
        self.descriptor = descriptor
        self.path = path
        """What it was opened as; for messages only."""
        self.stamp = stamp
        """How the file was at the last look."""
        self.lease = lease
        """True: held. False: refused, somebody writes. None: not to be had here, or not wanted."""
        self.ctime_tells = True
        """False where other readers of ours change the mode, and with it the ctime."""

    @property
    def leased(self) -> bool:
        """Whether a lease vouches for the bytes."""
        return self.lease is True

    def unchanged_blocking(self) -> bool:
        """Whether nothing tells of a write since the last look, the lease's word included."""
        return self.vouches_for(os.fstat(self.descriptor))

    def undisturbed_blocking(self) -> bool:
        """Whether the bytes that were read since the last look are the file's own.

        The lease's word is enough, where there is one. That the stamp is still true it does not
        say; whoever moves the file looks at that again.
        """
        if self.lease:
            return fcntl.fcntl(self.descriptor, _GET_LEASE) == fcntl.F_RDLCK
        return self.unchanged_blocking()

    def vouches_for(self, seen: os.stat_result) -> bool:
        """The same, of a file that was just looked at by its name: also, whether it is this one."""
        if self.lease and fcntl.fcntl(self.descriptor, _GET_LEASE) != fcntl.F_RDLCK:
            return False
        then = self.stamp
        if self.ctime_tells and seen.st_ctime_ns != then.ctime_ns:
            return False
        return (seen.st_mtime_ns, seen.st_size, seen.st_ino, seen.st_dev) == (
            then.mtime_ns,
            then.size,
            then.ino,
            then.dev,
        )

    def rebase_blocking(self) -> Stamp:
        """Look anew after our own rename or chmod, which change the ctime; ChangedError if more."""
        now = stamp_of(os.fstat(self.descriptor))
        if not now.same_content(self.stamp):
            raise ChangedError(self.path)
        self.stamp = now
        return now

    def close(self) -> None:
        """Let go of file and lease; more than once does no harm."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def stamp_of(seen: os.stat_result) -> Stamp:
    """The facts of a stat(2) that matter here."""
    return Stamp(
        seen.st_dev,
        seen.st_ino,
        seen.st_size,
        seen.st_mtime_ns,
        seen.st_ctime_ns,
        seen.st_mode,
        seen.st_nlink,
        seen.st_uid,
    )


def ignore_lease_breaks() -> None:
    """Make SIGIO harmless for this process; call it in the main thread before the first lease.

    The kernel sends SIGIO when somebody wants to write to a leased file, and its default is death.
    Another signal by F_SETSIG would need a handler just the same. Ignoring also leaves system
    calls uninterrupted; broken leases are noticed by asking (F_GETLEASE).
    """
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    _harmless.set()


def lease_blocking(descriptor: int) -> bool | None:
    """True: granted. False: somebody writes. None: this file or filesystem has no leases.

    Network filesystems may answer False for ever (NFS without a delegation gives EAGAIN), so
    the caller must not ask there.
    """
    if _SET_LEASE is None:
        return None
    if not _harmless.is_set():
        raise RuntimeError("ignore_lease_breaks() must come before the first lease")
    try:
        fcntl.fcntl(descriptor, _SET_LEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return False
    except OSError:  # EINVAL or ENOLCK: none here; EACCES: not ours and no CAP_LEASE
        return None
    return True


def grasp_blocking(
    path: bytes, *, lease: bool, dir_fd: int | None = None, insist: bool = False
) -> Grip:
    """Open the regular file at `path` without following, waiting or side effects.

    `insist`: an own file that its owner may not read is made readable first, and stays so. Raises
    NotAFileError, BusyError when the lease is refused, and OSError.
    """
    try:
        descriptor = os.open(path, _OPEN, dir_fd=dir_fd)
    except PermissionError:
        if not insist or not change_mode_blocking(path, _readable, dir_fd):
            raise
        descriptor = os.open(path, _OPEN, dir_fd=dir_fd)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise NotAFileError(path) from error
        raise
    try:
        return _gripped_blocking(descriptor, path, lease=lease)
    except BaseException:
        os.close(descriptor)
        raise


def _gripped_blocking(descriptor: int, path: bytes, *, lease: bool) -> Grip:
    granted = lease_blocking(descriptor) if lease else None  # anything but a file has none
    seen = os.fstat(descriptor)  # only now: what was written before the lease counts as before
    if not stat.S_ISREG(seen.st_mode):
        raise NotAFileError(path)
    if granted is False:
        raise BusyError(path)
    return Grip(descriptor, path, stamp_of(seen), granted)


def change_mode_blocking(
    path: bytes, wanted: Callable[[int], int], dir_fd: int | None = None
) -> bool:
    """Give a regular file the mode that `wanted` makes of its own; False where that cannot be.

    It need not be readable for that, and nothing is followed.
    """
    try:
        handle = os.open(path, _PATH, dir_fd=dir_fd)
    except OSError:
        return False
    try:
        seen = os.fstat(handle)
        before = stat.S_IMODE(seen.st_mode)
        if not stat.S_ISREG(seen.st_mode):
            return False
        if (mode := wanted(before)) != before:  # else the ctime would change for nothing
            os.chmod(b"/proc/self/fd/%d" % handle, mode)
    except (PermissionError, FileNotFoundError):  # not ours; or there is no /proc
        return False
    finally:
        os.close(handle)
    return True


def _readable(mode: int) -> int:
    return mode | stat.S_IRUSR
