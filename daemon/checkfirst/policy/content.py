"""What the first bytes of a file say it is: content type and risk, or nothing.

Our own short table, because the pure-Python libraries miss scripts and Windows programs. The order
matters where one signature is a special case of another.
"""

import re
from collections.abc import Callable

from checkfirst.model import Risk
from checkfirst.policy.containers import ole_reading, zip_reading
from checkfirst.policy.suffixes import PE, TEXT, XML, Reading

_PROGRAM, _SCRIPT, _INSTALLER = Risk.PROGRAM, Risk.SCRIPT, Risk.INSTALLER
_ARCHIVE, _DOCUMENT, _OTHER = Risk.ARCHIVE, Risk.DOCUMENT, Risk.OTHER
_IMAGE, _MEDIA = Risk.IMAGE, Risk.MEDIA

_AT_START: tuple[tuple[bytes, str, Risk], ...] = (
    (b"\xfe\xed\xfa\xce", "application/x-mach-binary", _PROGRAM),
    (b"\xfe\xed\xfa\xcf", "application/x-mach-binary", _PROGRAM),
    (b"\xce\xfa\xed\xfe", "application/x-mach-binary", _PROGRAM),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary", _PROGRAM),
    (b"\xca\xfe\xba\xbf", "application/x-mach-binary", _PROGRAM),
    (b"\0asm", "application/wasm", _PROGRAM),
    (b"dex\n", "application/x-dex", _PROGRAM),
    (b"!<arch>\ndebian-binary", "application/vnd.debian.binary-package", _INSTALLER),
    (b"!<arch>\n", "application/x-archive", _ARCHIVE),
    (b"\xed\xab\xee\xdb", "application/x-rpm", _INSTALLER),
    (b"xar!", "application/x-xar", _INSTALLER),
    (b"Cr24", "application/x-browser-extension", _INSTALLER),
    (b"flatpak\0", "application/vnd.flatpak", _INSTALLER),
    (b"\x78\x01\x73\x0d\x62\x62\x60", "application/x-apple-diskimage", _INSTALLER),
    (b"L\0\0\0\x01\x14\x02\0", "application/x-ms-shortcut", _SCRIPT),
    (b"ITSF", "application/vnd.ms-htmlhelp", _SCRIPT),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", _ARCHIVE),
    (b"Rar!\x1a\x07", "application/vnd.rar", _ARCHIVE),
    (b"\x1f\x8b", "application/gzip", _ARCHIVE),
    (b"\x1f\x9d", "application/x-lzma", _ARCHIVE),
    (b"BZh", "application/x-bzip2", _ARCHIVE),
    (b"\xfd7zXZ\0", "application/x-xz", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", "application/zstd", _ARCHIVE),
    (b"\x04\x22\x4d\x18", "application/x-lzma", _ARCHIVE),
    (b"LZIP", "application/x-lzma", _ARCHIVE),
    (b"MSCF", "application/vnd.ms-cab-compressed", _ARCHIVE),
    (b"07070", "application/x-cpio", _ARCHIVE),
    (b"hsqs", "application/x-squashfs", _ARCHIVE),
    (b"vhdxfile", "application/x-virtual-disk", _ARCHIVE),
    (b"conectix", "application/x-virtual-disk", _ARCHIVE),
    (b"QFI\xfb", "application/x-virtual-disk", _ARCHIVE),
    (b"KDMV", "application/x-virtual-disk", _ARCHIVE),
    (b"MSWIM\0\0\0", "application/x-virtual-disk", _ARCHIVE),
    (b"%PDF-", "application/pdf", _DOCUMENT),
    (b"%!PS", "application/postscript", _DOCUMENT),
    (b"{\\rt", "application/rtf", _DOCUMENT),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "application/onenote", _DOCUMENT),
    (b"AT&TFORM", "image/vnd.djvu", _DOCUMENT),
    (b"\x89PNG\r\n\x1a\n", "image/png", _IMAGE),
    (b"\xff\xd8\xff", "image/jpeg", _IMAGE),
    (b"GIF87a", "image/gif", _IMAGE),
    (b"GIF89a", "image/gif", _IMAGE),
    (b"II*\0", "image/tiff", _IMAGE),
    (b"MM\0*", "image/tiff", _IMAGE),
    (b"\0\0\x01\0", "image/x-icon", _IMAGE),
    (b"8BPS", "image/vnd.adobe.photoshop", _IMAGE),
    (b"\0\0\0\x0cJXL ", "image/heif", _IMAGE),
    (b"\0\0\0\x0cjP  ", "image/heif", _IMAGE),
    (b"\x1a\x45\xdf\xa3", "video/x-matroska", _MEDIA),
    (b"OggS", "audio/ogg", _MEDIA),
    (b"fLaC", "audio/flac", _MEDIA),
    (b"ID3", "audio/mpeg", _MEDIA),
    (b"\xff\xfb", "audio/mpeg", _MEDIA),
    (b"\xff\xf3", "audio/mpeg", _MEDIA),
    (b"FLV\x01", "video/x-msvideo", _MEDIA),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-msvideo", _MEDIA),
    (b"MThd", "audio/midi", _MEDIA),
    (b"\0\0\x01\xba", "video/mpeg", _MEDIA),
    (b"\0\x01\0\0\0", "font/sfnt", _OTHER),
    (b"OTTO", "font/sfnt", _OTHER),
    (b"ttcf", "font/sfnt", _OTHER),
    (b"wOF", "font/woff", _OTHER),
    (b"SQLite format 3\0", "application/vnd.sqlite3", _OTHER),
    (b"d8:announce", "application/x-bittorrent", _OTHER),
)

_BY_FIRST_BYTE = {
    first: tuple(entry for entry in _AT_START if entry[0][:1] == first)
    for first in {signature[:1] for signature, _, _ in _AT_START}
}
"""Most files match nothing here, and a burst has thousands of them."""

_INTERPRETERS = {
    b"python": "text/x-python",
    b"perl": "text/x-perl",
    b"ruby": "text/x-ruby",
    b"lua": "text/x-lua",
    b"php": "application/x-php",
    b"node": "text/javascript",
    b"pwsh": "application/x-powershell",
}

_MORE_THAN_WORDS = (b"#", b"[", b"@", b"<")
_TEXT_BEGINS: tuple[tuple[re.Pattern[bytes], str, Risk], ...] = (
    (re.compile(rb"(?:#[^\n]*+\n\s*+)*+\[desktop entry\]"), "application/x-desktop", _SCRIPT),
    (re.compile(rb"\[internetshortcut\]"), "application/x-mswinurl", _SCRIPT),
    (re.compile(rb"@echo off"), "application/x-bat", _SCRIPT),
    (re.compile(rb"<\?php"), "application/x-php", _SCRIPT),
    (
        re.compile(rb"<(?:!doctype html|html|head|body|script|iframe|title|!--)"),
        "text/html",
        _DOCUMENT,
    ),
)
"""How text begins that is more than words: in lower case, after white space."""

_NOT_TEXT = bytes({*range(32)} - {*b"\a\b\t\n\v\f\r\x1b"}) + b"\x7f"
_BEFORE_TEXT = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n\f\v"
"""Byte order marks and white space."""
_FAT_BINARIES_AT_MOST = 30
"""A universal binary and a Java class share their first four bytes; the next four are the number of
architectures in one and the version, 45 or more, in the other (file(1), its `cafebabe` rules)."""


def recognised(head: bytes) -> Reading | None:
    """Give what the bytes are, None where nothing is recognised. Never raises."""
    for reader in _READERS:
        if reading := reader(head):
            return reading
    return None


def _program(head: bytes) -> Reading | None:
    if head.startswith(b"MZ"):
        at = int.from_bytes(head[60:64], "little")
        portable = head[at : at + 4] == b"PE\0\0"
        return (PE if portable else "application/x-dosexec"), _PROGRAM
    if head.startswith(b"\x7fELF"):
        appimage = head[8:11] in (b"AI\x01", b"AI\x02")
        return ("application/vnd.appimage" if appimage else "application/x-executable"), _PROGRAM
    if head.startswith(b"\xca\xfe\xba\xbe"):
        fat = int.from_bytes(head[4:8], "big") <= _FAT_BINARIES_AT_MOST
        return ("application/x-mach-binary" if fat else "application/java-vm"), _PROGRAM
    return None


def _shebang(head: bytes) -> Reading | None:
    if not head.startswith(b"#!"):
        return None
    line = head[2:].split(b"\n", 1)[0]
    for interpreter, content_type in _INTERPRETERS.items():
        if interpreter in line:
            return content_type, _SCRIPT
    return "application/x-shellscript", _SCRIPT


def _container(head: bytes) -> Reading | None:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00PK\x03\x04")):
        return zip_reading(head)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return ole_reading(head)
    if head[257:262] == b"ustar":
        return "application/x-tar", _ARCHIVE
    if head[2:4] == b"-l" and head[6:7] == b"-":
        return "application/x-lzma", _ARCHIVE
    return None


def _signature(head: bytes) -> Reading | None:
    for signature, content_type, risk in _BY_FIRST_BYTE.get(head[:1], ()):
        if head.startswith(signature):
            return content_type, risk
    return None


def _picture_or_film(head: bytes) -> Reading | None:
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return "image/bmp", _IMAGE
    if head.startswith(b"RIFF"):
        webp = head[8:12] == b"WEBP"
        return ("image/webp", _IMAGE) if webp else ("video/x-msvideo", _MEDIA)
    if head[4:8] == b"ftyp":
        still = head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")
        return ("image/heif", _IMAGE) if still else ("video/mp4", _MEDIA)
    return None


def _telling_text(head: bytes) -> Reading | None:
    """Recognise text that something acts on, or that is marked up."""
    start = _as_text(head) if head.lstrip(_BEFORE_TEXT).startswith(_MORE_THAN_WORDS) else None
    if start is None:
        return None
    if b"<hta:application" in start:
        return "application/hta", _SCRIPT
    for pattern, content_type, risk in _TEXT_BEGINS:
        if pattern.match(start):
            return content_type, risk
    if b"<svg" in start[:1024]:
        return "image/svg+xml", _DOCUMENT
    return (XML, _DOCUMENT) if start.startswith(b"<?xml") else None


def _words(head: bytes) -> Reading | None:
    return None if not head or _as_text(head) is None else (TEXT, _DOCUMENT)


def _as_text(head: bytes) -> bytes | None:
    """Give it in lower case and without what may come before text, None where it is not text.

    Text is any superset of ASCII without control characters, and UTF-16 with its mark.
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.replace(b"\0", b"")
    if b"\0" in head or head.translate(None, _NOT_TEXT) != head:  # the first: fifty times as fast
        return None
    return head.lstrip(_BEFORE_TEXT).lower()


def _late_pdf(head: bytes) -> Reading | None:
    """Readers open a PDF whose header comes anywhere in the first 1024 bytes."""
    return ("application/pdf", _DOCUMENT) if b"%PDF-" in head[:1024] else None


_READERS: tuple[Callable[[bytes], Reading | None], ...] = (
    _program,
    _shebang,
    _telling_text,
    _container,
    _signature,
    _picture_or_film,
    _words,
    _late_pdf,
)
