import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.model import Risk
from checkfirst.policy.content import recognised
from checkfirst.policy.risk import DANGER, HEAD, PRIORITY, identify
from checkfirst.policy.suffixes import claimed
from tests.policy import samples

PNG = b"\x89PNG\r\n\x1a\n\0"
DOCX = samples.zipped("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("head", "name", "content_type", "risk"),
    [
        # the content is the more dangerous
        (samples.pe(), b"report.pdf", "application/vnd.microsoft.portable-executable", "program"),
        (samples.elf(), b"holiday.jpg", "application/x-executable", "program"),
        (b"#!/bin/sh\n", b"readme.txt", "application/x-shellscript", "script"),
        (b"PK\x05\x06", b"song.mp3", "application/zip", "archive"),
        (samples.zipped("META-INF/MANIFEST.MF"), b"a.docx", "application/java-archive", "program"),
        (samples.ole(samples.MSI_CLASS), b"a.doc", "application/x-msi", "installer"),
        # the name is the more dangerous
        (b"alert(1)", b"invoice.js", "text/javascript", "script"),
        (PNG, b"a.exe", "application/vnd.microsoft.portable-executable", "program"),
        (
            PNG,
            "a\u202egnp.exe".encode(),
            "application/vnd.microsoft.portable-executable",
            "program",
        ),
        (b"words", b"report.pdf.vbs ", "text/vbscript", "script"),
        (samples.zipped("a.txt"), b"app.pyz", "text/x-python", "script"),
        (samples.ole(), b"setup.msi", "application/x-msi", "installer"),
        (DOCX, b"letter.zip", "application/zip", "archive"),
        # both say the same
        (samples.pe(), b"a.exe", "application/vnd.microsoft.portable-executable", "program"),
        (
            DOCX,
            b"a.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml",
            "document",
        ),
        (
            DOCX,
            b"a.docm",
            "application/vnd.openxmlformats-officedocument.wordprocessingml",
            "document",
        ),
        (samples.ole(), b"a.doc", "application/msword", "document"),
        (b"a,b\n1,2\n", b"a.csv", "text/csv", "document"),
        (b"<html>", b"a.txt", "text/html", "document"),
        (samples.gz(), b"a.tar.gz", "application/gzip", "archive"),
        # a document that does not show it in its first bytes is private all the same
        (
            samples.zipped("big.bin"),
            b"a.odt",
            "application/vnd.oasis.opendocument.text",
            "document",
        ),
        (samples.zipped("big.bin"), b"a.xlsb", "application/vnd.ms-excel", "document"),
        (samples.zipped("big.bin"), b"a.pdf", "application/zip", "archive"),
        # only one of them knows
        (b"\x01\x02\x03", b"a.iso", "application/x-cd-image", "archive"),
        (b"", b"a.exe", "application/vnd.microsoft.portable-executable", "program"),
        (PNG, b"a.xyzzy", "image/png", "image"),
        (PNG, b"", "image/png", "image"),
        # neither does
        (b"\x01\x02\x03", b"a.xyzzy", "application/octet-stream", "other"),
        (b"\0", b"a", "application/octet-stream", "other"),
        (b"", b"a", "inode/x-empty", "other"),
    ],
)
def test_the_more_dangerous_reading_wins(head, name, content_type, risk):
    assert identify(head, name) == (content_type, Risk(risk))


def test_only_the_head_is_looked_at():
    assert identify(bytes(HEAD) + b"%PDF-", b"a")[1] is Risk.OTHER


def test_every_risk_has_its_place():
    assert sorted(DANGER) == sorted(Risk)
    assert len(DANGER) == len(Risk)
    assert set(PRIORITY) == set(Risk)


def test_programs_are_asked_about_before_pictures():
    assert PRIORITY[Risk.PROGRAM] == PRIORITY[Risk.SCRIPT] == PRIORITY[Risk.INSTALLER] == 0
    assert PRIORITY[Risk.ARCHIVE] == PRIORITY[Risk.DOCUMENT] == 1
    assert PRIORITY[Risk.OTHER] == PRIORITY[Risk.MEDIA] == PRIORITY[Risk.IMAGE] == 2


starts = st.sampled_from(
    [b"", b"MZ", b"\x7fELF", b"PK\x03\x04", b"#!", b"<", b"%PDF-", b"\xff\xfe", samples.ole()]
)
suffixes = st.sampled_from([b"", b".exe", b".pdf", b".docx", b".png", b".js", b".zip", b".\xff"])


@given(starts, st.binary(max_size=600), st.binary(max_size=100), suffixes)
def test_hostile_heads_and_names_never_raise(start, tail, stem, suffix):
    content_type, risk = identify(start + tail, stem + suffix)
    assert content_type.isascii()
    assert content_type.isprintable()
    assert risk in Risk


@given(starts, st.binary(max_size=200), suffixes)
def test_neither_reading_is_made_less_dangerous_except_private_zips(start, tail, suffix):
    head, name = start + tail, b"name" + suffix
    _, risk = identify(head, name)
    for reading in (recognised(head), claimed(name)):
        if reading and not (suffix == b".docx" and reading[0] == "application/zip"):
            assert DANGER.index(risk) <= DANGER.index(reading[1])
