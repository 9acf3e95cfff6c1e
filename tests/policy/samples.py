"""The first bytes of files, built rather than stored."""

import gzip
import io
import struct
import tarfile
import zipfile


def pe():
    dos = b"MZ" + bytes(58) + struct.pack("<I", 0x80) + bytes(0x40)
    return dos + b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 0, 0, 0, 0, 0, 0x22)


def elf(*, padding=bytes(8)):
    return b"\x7fELF\x02\x01\x01\0" + padding + struct.pack("<HHI", 2, 62, 1)


def zipped(*names, mimetype=None, streamed=False, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    target = _Unseekable(buffer) if streamed else buffer
    with zipfile.ZipFile(target, "w", compression) as archive:
        if mimetype is not None:
            archive.writestr("mimetype", mimetype, compress_type=zipfile.ZIP_STORED)
        for name in names:
            archive.writestr(name, b"some content, some content, some content")
    return buffer.getvalue()


def ole(clsid=bytes(16)):
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    header[48:52] = struct.pack("<I", 1)
    root = bytearray(512)
    root[80:96] = clsid
    return bytes(header) + bytes(512) + bytes(root)


MSI_CLASS = bytes.fromhex("84100c0000000000c000000000000046")


def tar():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    return buffer.getvalue()


def gz():
    return gzip.compress(b"content", mtime=0)


class _Unseekable(io.RawIOBase):
    """Makes zipfile write sizes after the data, as a stream does."""

    def __init__(self, target):
        self._target = target

    def writable(self):
        return True

    def write(self, data):
        return self._target.write(data)
