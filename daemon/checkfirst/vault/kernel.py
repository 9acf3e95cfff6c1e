"""System calls that Python does not offer, through ctypes, with OSError as Python would raise it.

Linux only; elsewhere, and on kernels or filesystems that lack them, they raise OSError with
ENOSYS, EINVAL or the like, and the callers know another way.
"""

import ctypes
import errno
import os
import signal
from typing import Final

AT_FDCWD: Final = -100
_RENAME_NOREPLACE: Final = 1
_SYS_OPENAT2: Final = 437  # one number on all architectures since they share their tables
_RESOLVE_NO_SYMLINKS: Final = 0x04
_RESOLVE_BENEATH: Final = 0x08
_PR_SET_PDEATHSIG: Final = 1
_OPEN_HOW: Final = ctypes.c_uint64 * 3  # struct open_how: flags, mode, resolve

_library = ctypes.CDLL(None, use_errno=True)
_renameat2 = getattr(_library, "renameat2", None)  # glibc since 2.28, musl since 1.2.6
_syscall = getattr(_library, "syscall", None)
_prctl = getattr(_library, "prctl", None)


def rename_exclusive(source: bytes, target: bytes, source_fd: int, target_fd: int) -> None:
    """renameat2(2) with RENAME_NOREPLACE: EEXIST when the target exists, whatever it is."""
    if _renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), source, None, target)
    if _renameat2(source_fd, source, target_fd, target, _RENAME_NOREPLACE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), source, None, target)


def open_beneath(folder: int, relative: bytes, flags: int) -> int:
    """openat2(2): neither a symbolic link anywhere on the way, nor a step above `folder`."""
    if _syscall is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), relative)
    how = _OPEN_HOW(flags, 0, _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH)
    number = ctypes.c_long(_SYS_OPENAT2)
    descriptor = _syscall(
        number, folder, ctypes.c_char_p(relative), ctypes.byref(how), ctypes.c_size_t(24)
    )
    if descriptor < 0:
        failed = ctypes.get_errno()
        raise OSError(failed, os.strerror(failed), relative)
    return int(descriptor)


def end_with_parent(parent: int) -> None:
    """prctl(2) with PR_SET_PDEATHSIG: this process gets SIGKILL when the one it came from ends.

    The kernel means the thread that started us. A `parent` that has ended already ends us now.
    Where there is no such call nothing is promised.
    """
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
