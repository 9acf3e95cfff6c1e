import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.model import Risk
from checkfirst.policy.containers import ole_reading, zip_reading
from tests.policy import samples

DOCX = ("[Content_Types].xml", "_rels/.rels", "word/document.xml")
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("names", "content_type", "risk"),
    [
        (("a.txt", "b.exe"), "application/zip", Risk.ARCHIVE),
        (("META-INF/", "META-INF/MANIFEST.MF"), "application/java-archive", Risk.PROGRAM),
        (
            ("AndroidManifest.xml", "res/a.xml"),
            "application/vnd.android.package-archive",
            Risk.INSTALLER,
        ),
        (("AppxManifest.xml",), "application/msix", Risk.INSTALLER),
        (("extension.vsixmanifest",), "application/x-browser-extension", Risk.INSTALLER),
        (DOCX, WORD, Risk.DOCUMENT),
        (
            ("[Content_Types].xml", "docProps/app.xml", "xl/workbook.xml"),
            "application/vnd.openxmlformats-officedocument.spreadsheetml",
            Risk.DOCUMENT,
        ),
        (
            ("_rels/.rels", "ppt/presentation.xml"),
            "application/vnd.openxmlformats-officedocument.presentationml",
            Risk.DOCUMENT,
        ),
        (
            ("[Content_Types].xml", "visio/document.xml"),
            "application/vnd.openxmlformats-officedocument",
            Risk.DOCUMENT,
        ),
        (("word/document.xml",), "application/zip", Risk.ARCHIVE),
    ],
)
def test_zip_members_tell_what_it_is(names, content_type, risk, streamed):
    assert zip_reading(samples.zipped(*names, streamed=streamed)) == (content_type, risk)


@pytest.mark.parametrize(
    ("mimetype", "content_type", "risk"),
    [
        (
            "application/vnd.oasis.opendocument.text",
            "application/vnd.oasis.opendocument.text",
            Risk.DOCUMENT,
        ),
        ("application/epub+zip", "application/epub+zip", Risk.DOCUMENT),
        ("application/epub+zip\n", "application/epub+zip", Risk.DOCUMENT),
        ("application/epub+zipper", "application/zip", Risk.ARCHIVE),
        ("application/x-evil\x1b[31m", "application/zip", Risk.ARCHIVE),
        ("", "application/zip", Risk.ARCHIVE),
    ],
)
def test_a_mimetype_member_is_believed_only_for_documents(mimetype, content_type, risk):
    head = samples.zipped("content.xml", mimetype=mimetype)
    assert zip_reading(head) == (content_type, risk)


def test_a_document_that_is_also_a_jar_is_a_jar():
    head = samples.zipped(*DOCX, "META-INF/MANIFEST.MF")
    assert zip_reading(head)[1] is Risk.PROGRAM


def test_the_members_of_an_archive_inside_are_not_its_own():
    inner = samples.zipped("META-INF/MANIFEST.MF")
    sizes_and_lengths = (len(inner), len(inner), len(b"inner.jar"), 0)
    header = b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0, 0, *sizes_and_lengths)
    assert zip_reading(header + b"inner.jar" + inner) == ("application/zip", Risk.ARCHIVE)


@pytest.mark.parametrize("length", [0, 4, 29, 30, 31, 40, 100])
def test_a_zip_that_breaks_off_is_an_archive(length):
    head = samples.zipped(*DOCX, compression=zipfile.ZIP_STORED)
    assert zip_reading(head[:length])[1] in (Risk.ARCHIVE, Risk.DOCUMENT)


@pytest.mark.parametrize("kind", [0x82, 0x84, 0x86])
def test_the_root_class_tells_an_installer_from_a_document(kind):
    msi = samples.ole(bytes([kind]) + samples.MSI_CLASS[1:])
    assert ole_reading(msi) == ("application/x-msi", Risk.INSTALLER)


def test_other_ole_files_are_documents():
    assert ole_reading(samples.ole()) == ("application/x-ole-storage", Risk.DOCUMENT)
    assert ole_reading(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")[1] is Risk.DOCUMENT


@given(st.binary(max_size=300))
def test_hostile_containers_never_raise(tail):
    assert zip_reading(b"PK\x03\x04" + tail)[1] in Risk
    assert ole_reading(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + tail)[1] in Risk
