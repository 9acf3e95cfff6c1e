"""Reads where a held file says it came from: browsers leave marks on what they load.

As extended attributes (freedesktop.org's, and what macOS and Windows write as it appears under
Linux), or as a file `NAME:Zone.Identifier` beside it (WSL). The marks themselves are never touched;
they go where the file goes. What cannot be read is no mark.
"""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from checkfirst.policy.origin_mark import BESIDE, address, first, zone_address

LARGEST: Final = 64 * 1024
"""Bytes of a mark that are read; the kernel keeps no larger attributes (xattr(7))."""

_ZONE: Final = "Zone.Identifier"
_SEEN_FROM: Final = "com.apple.metadata:kMDItemWhereFroms"


def origin_url_blocking(descriptor: int, origin: bytes | None) -> str | None:
    """The address, without its secret parts.

    `origin`: where the file lay, if a mark may still lie there beside it.
    """
    try:
        names = os.listxattr(descriptor)
    except (OSError, AttributeError):  # AttributeError: this system has none
        names = []
    if names and (found := _told(descriptor, names)):
        return found
    if origin is None or not os.access(beside := origin + BESIDE, os.R_OK):
        return None
    return _beside_blocking(beside)


def _told(descriptor: int, names: list[str]) -> str | None:
    def read(name: str) -> str | None:
        with suppress(OSError):
            return _MARKS[name](os.getxattr(descriptor, name))
        return None

    return first(read(name) for name in _MARKS if name in names)


def _beside_blocking(path: bytes) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            with suppress(OSError):
                return zone_address(os.read(descriptor, LARGEST))
        return None
    finally:
        os.close(descriptor)


def _apple_address(value: bytes) -> str | None:
    """The first of a property list of addresses: the file's, then its page's."""
    import plistlib  # noqa: PLC0415  (30 ms, for files from a Mac alone)

    try:
        found = plistlib.loads(value)
    except Exception:  # noqa: BLE001  (hostile bytes, and plistlib names no errors of its own)
        return None
    texts = found if isinstance(found, list) else [found]
    return first(address(each.encode(errors="replace")) for each in texts if isinstance(each, str))


_MARKS: Final[dict[str, Callable[[bytes], str | None]]] = {
    "user.xdg.origin.url": address,
    # ntfs-3g with streams_interface=xattr; Samba's streams_xattr on a server's own disk.
    f"user.{_ZONE}": zone_address,
    f"user.DosStream.{_ZONE}:$DATA": zone_address,
    _SEEN_FROM: _apple_address,
    f"user.{_SEEN_FROM}": _apple_address,
    f"user.DosStream.{_SEEN_FROM}:$DATA": _apple_address,
    "user.xdg.referrer.url": address,
}
"""In the order of their weight. `com.apple.quarantine` holds no address: date and program alone."""
