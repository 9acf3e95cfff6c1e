"""When an inode was made.

Its number alone does not tell a file from its successor: ext4 gives the number of a deleted file
to the next one that is made, so a file deleted and downloaded again under its old name would pass
for the old one (measured).
"""

import ctypes
import os
import struct

_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_AT_STATX_DONT_SYNC = 0x4000
_STATX_BTIME = 0x800
_SIZE = 256
_MASK = struct.Struct("=I")
_BTIME = struct.Struct("=qI")
_BTIME_AT = 80

_statx = getattr(ctypes.CDLL(None), "statx", None)
"""Absent from macOS and from an old libc."""


def birth_blocking(path: bytes) -> int:
    """Nanoseconds since the epoch, by statx(2); 0 where neither system nor filesystem tells."""
    if _statx is None:
        try:
            status = os.stat(path, follow_symlinks=False)
        except OSError:
            return 0
        return int(getattr(status, "st_birthtime", 0) * 1_000_000_000)
    buffer = ctypes.create_string_buffer(_SIZE)
    flags = _AT_SYMLINK_NOFOLLOW | _AT_STATX_DONT_SYNC
    if _statx(_AT_FDCWD, path, flags, _STATX_BTIME, buffer) != 0:
        return 0
    if not _MASK.unpack_from(buffer)[0] & _STATX_BTIME:
        return 0
    seconds, nanoseconds = _BTIME.unpack_from(buffer, _BTIME_AT)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)
