"""Writing a zip whose entries are encrypted by a password, in one pass and without a temporary.

The traditional encryption (APPNOTE.TXT 6.3.10, section 6.1), because every program reads it:
unzip, 7z, file managers, Python's own zipfile, which writes none. It keeps nothing secret; it keeps
a file from being opened by a double click, and from scanners on its way to somebody who asked for
it. Pure Python encrypts some 4 MB a second, and deflating first leaves it less to do.

What is in the entries is not known here.
"""

import secrets
import struct
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, Final

_LOCAL: Final = struct.Struct("<4sHHHHHLLLHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_END: Final = struct.Struct("<4sHHHHLLH")
_END_64: Final = struct.Struct("<4sQHHLLQQQQ")
_WHERE_END_64: Final = struct.Struct("<4sLQL")

_PLAIN_VERSION, _LARGE_VERSION = 20, 45
_BY_UNIX: Final = 3 << 8
_FLAGS: Final = 1 << 0 | 1 << 3 | 1 << 11
"""Encrypted; sizes follow the data, as they are known only then; names are UTF-8."""
_DEFLATED: Final = 8
_MODE: Final = 0o100600 << 16
_MOST_32: Final = 0xFFFF_FFFF
_MOST_16: Final = 0xFFFF
_LARGE: Final = 0xF000_0000
"""A little less than 32 bits hold, as deflating may make data longer."""
_SALT_BYTES: Final = 11
_LEVEL: Final = 6


class Cipher:
    """The stream cipher of traditional encryption; each entry has one of its own."""

    def __init__(self, password: bytes) -> None:
        self._keys = 0x12345678, 0x23456789, 0x34567890
        self.encrypt(password)  # it is mixed in as data is

    def encrypt(self, data: bytes) -> bytes:
        """Encrypt the next piece."""
        key0, key1, key2 = self._keys
        table, pad = _CRC, _PAD
        stream = bytearray()
        put = stream.append
        for byte in data:
            put(pad[key2 & 0xFFFF])
            key0 = table[(key0 ^ byte) & 0xFF] ^ key0 >> 8
            key1 = (key1 + (key0 & 0xFF)) * 134775813 + 1 & 0xFFFFFFFF
            key2 = table[(key2 ^ key1 >> 24) & 0xFF] ^ key2 >> 8
        self._keys = key0, key1, key2
        mixed = int.from_bytes(data, "little") ^ int.from_bytes(stream, "little")
        return mixed.to_bytes(len(data), "little")


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    stamp: tuple[int, int]
    at: int
    crc: int
    packed: int
    size: int
    is_large: bool


class EncryptedZip:
    """Writes to a file that can be sought in; OSError when that cannot be written."""

    def __init__(self, file: BinaryIO, password: bytes, large: int = _LARGE) -> None:
        """`file` is empty; from `large` bytes on an entry gets 64-bit sizes."""
        self._large = large
        self._file = file
        self._password = password
        self._entries: list[_Entry] = []

    def add_blocking(self, name: str, size: int, modified: float, pieces: Iterable[bytes]) -> None:
        """Add an entry of at most `size` bytes, whose data come from `pieces`.

        What iterating raises is passed on, ValueError when more comes than was said; then nothing
        is left of the entry.
        """
        at = self._file.tell()
        try:
            self._entries.append(self._added_blocking(name, size, modified, pieces, at))
        except BaseException:
            self._file.seek(at)
            self._file.truncate()
            raise

    def finish_blocking(self) -> None:
        """Write the directory; nothing can be added afterwards."""
        start = self._file.tell()
        for entry in self._entries:
            self._file.write(_central(entry))
        size, count = self._file.tell() - start, len(self._entries)
        if start > _MOST_32 or size > _MOST_32 or count > _MOST_16:
            version = _BY_UNIX | _LARGE_VERSION
            end = self._file.tell()
            self._file.write(
                _END_64.pack(
                    *(b"PK\6\6", _END_64.size - 12, version, _LARGE_VERSION, 0, 0),
                    *(count, count, size, start),
                )
            )
            self._file.write(_WHERE_END_64.pack(b"PK\6\7", 0, end, 1))
        counts = min(count, _MOST_16)
        where = (min(size, _MOST_32), min(start, _MOST_32))
        self._file.write(_END.pack(b"PK\5\6", 0, 0, counts, counts, *where, 0))

    def _added_blocking(
        self, name: str, size: int, modified: float, pieces: Iterable[bytes], at: int
    ) -> _Entry:
        encoded, stamp, is_large = name.encode(), _dos_time(modified), size >= self._large
        version = _LARGE_VERSION if is_large else _PLAIN_VERSION
        # Announced empty; that the field is there says that the sizes to come have 64 bits.
        extra = struct.pack("<HHQQ", 1, 16, 0, 0) if is_large else b""
        unknown = _MOST_32 if is_large else 0
        self._file.write(
            _LOCAL.pack(
                *(b"PK\3\4", version, _FLAGS, _DEFLATED, *stamp),
                *(0, unknown, unknown, len(encoded), len(extra)),
            )
            + encoded
            + extra
        )
        cipher = Cipher(self._password)
        # The last byte tells a reader whether the password is right; the CRC is not known yet.
        salt = secrets.token_bytes(_SALT_BYTES) + bytes([stamp[0] >> 8])
        packed = self._file.write(cipher.encrypt(salt))
        deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        crc = total = 0
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
            total += len(piece)
            if total > size:
                raise ValueError("an entry is larger than was said")
            packed += self._file.write(cipher.encrypt(deflate.compress(piece)))
        packed += self._file.write(cipher.encrypt(deflate.flush()))
        sizes = "<4sLQQ" if is_large else "<4sLLL"
        self._file.write(struct.pack(sizes, b"PK\7\x08", crc, packed, total))
        return _Entry(encoded, stamp, at, crc, packed, total, is_large)


def _central(entry: _Entry) -> bytes:
    """The entry's line in the directory; 64-bit fields only for what does not fit."""
    wide = [entry.size, entry.packed] if entry.is_large else []
    if entry.at > _MOST_32:
        wide.append(entry.at)
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    version = _LARGE_VERSION if wide else _PLAIN_VERSION
    sizes = (_MOST_32, _MOST_32) if entry.is_large else (entry.packed, entry.size)
    return (
        _CENTRAL.pack(
            *(b"PK\1\2", _BY_UNIX | version, version, _FLAGS, _DEFLATED, *entry.stamp),
            *(entry.crc, *sizes, len(entry.name), len(extra), 0, 0, 0, _MODE),
            min(entry.at, _MOST_32),
        )
        + entry.name
        + extra
    )


def _dos_time(modified: float) -> tuple[int, int]:
    """Time and date as zips have them: local, in steps of two seconds, from 1980 to 2107."""
    try:
        year, month, day, hour, minute, second = time.localtime(modified)[:6]
    except (OverflowError, OSError, ValueError):
        year = 0
        month = day = hour = minute = second = 0
    if not 1980 <= year <= 2107:  # noqa: PLR2004  (the format's own bounds)
        year, month, day, hour, minute, second = 1980, 1, 1, 0, 0, 0
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
        table.append(crc)
    return table


_CRC: Final = _crc_table()
_PAD: Final = bytes(((key | 2) * ((key | 2) ^ 1)) >> 8 & 0xFF for key in range(0x10000))
"""What the lower half of the third key encrypts the next byte with."""
