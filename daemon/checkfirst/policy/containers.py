"""What a ZIP or OLE container holds, as far as its first bytes tell.

A docx, a jar and an apk all begin as a ZIP does; an msi begins as an old Word document does.
Lengths and offsets come from the file and are never believed beyond the bytes at hand.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from checkfirst.model import Risk
from checkfirst.policy.suffixes import OLE, OOXML, ZIP, Reading

_LOCAL = b"PK\x03\x04"
_LOCAL_SIZE = 30
_DESCRIPTOR_FOLLOWS = 0x08
_OOXML_PARTS = {
    b"word/": f"{OOXML}.wordprocessingml",
    b"xl/": f"{OOXML}.spreadsheetml",
    b"ppt/": f"{OOXML}.presentationml",
}
_DOCUMENT_MIMETYPE = re.compile(
    rb"application/(?:vnd\.oasis\.opendocument\.[a-z-]{1,40}|epub\+zip)(?=\Z|[^a-z+.-])"
)

_SECTOR = 512
_DIRECTORY_START = 48
_ROOT_CLSID = 80
# {000C1084-…}, {000C1082-…}, {000C1086-…}: package, transform and patch of the Windows Installer.
_MSI_CLASSES = frozenset(
    bytes([kind]) + b"\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
    for kind in (0x84, 0x82, 0x86)
)


@dataclass(frozen=True, slots=True)
class _Member:
    name: bytes
    stored: bytes
    """The raw bytes that follow the header, as many as are at hand."""


def zip_reading(head: bytes) -> Reading:
    """Tell apart jar, apk, msix, OpenDocument, OOXML and plain archives."""
    members = list(_members(head))
    names = {member.name for member in members}
    if b"META-INF/MANIFEST.MF" in names:
        return "application/java-archive", Risk.PROGRAM
    if names & {b"AndroidManifest.xml", b"classes.dex"}:
        return "application/vnd.android.package-archive", Risk.INSTALLER
    if names & {b"AppxManifest.xml", b"AppxBlockMap.xml"}:
        return "application/msix", Risk.INSTALLER
    if names & {b"install.rdf", b"extension.vsixmanifest"}:
        return "application/x-browser-extension", Risk.INSTALLER
    if members and members[0].name == b"mimetype":
        declared = _DOCUMENT_MIMETYPE.match(members[0].stored)
        if declared:
            return declared[0].decode("ascii"), Risk.DOCUMENT
    return _ooxml(names) or (ZIP, Risk.ARCHIVE)


def ole_reading(head: bytes) -> Reading:
    """Tell a Windows Installer package from an old Office document by its root entry's class."""
    start = _number(head, _DIRECTORY_START, 4)
    at = (start + 1) * _SECTOR + _ROOT_CLSID
    if head[at : at + 16] in _MSI_CLASSES:
        return "application/x-msi", Risk.INSTALLER
    return OLE, Risk.DOCUMENT


def _ooxml(names: set[bytes]) -> Reading | None:
    if not names & {b"[Content_Types].xml", b"_rels/.rels"}:
        return None
    for folder, content_type in _OOXML_PARTS.items():
        if any(name.startswith(folder) for name in names):
            return content_type, Risk.DOCUMENT
    return OOXML, Risk.DOCUMENT


def _members(head: bytes) -> Iterator[_Member]:
    """Go from local header to local header, by the sizes where they are given, else by search."""
    at = head.find(_LOCAL)
    while at >= 0 and at + _LOCAL_SIZE <= len(head):
        name_end = at + _LOCAL_SIZE + _number(head, at + 26, 2)
        data = name_end + _number(head, at + 28, 2)
        yield _Member(head[at + _LOCAL_SIZE : name_end], head[data:])
        if not _number(head, at + 6, 2) & _DESCRIPTOR_FOLLOWS:
            data += _number(head, at + 18, 4)
        at = head.find(_LOCAL, data)


def _number(head: bytes, at: int, size: int) -> int:
    return int.from_bytes(head[at : at + size], "little")
