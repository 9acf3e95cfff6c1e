import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.model import Risk
from checkfirst.policy.content import recognised
from tests.policy import samples


@pytest.mark.parametrize(
    ("head", "content_type", "risk"),
    [
        (samples.pe(), "application/vnd.microsoft.portable-executable", Risk.PROGRAM),
        (b"MZ", "application/x-dosexec", Risk.PROGRAM),
        (samples.elf(), "application/x-executable", Risk.PROGRAM),
        (samples.elf(padding=b"AI\x02" + bytes(5)), "application/vnd.appimage", Risk.PROGRAM),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01", "application/x-mach-binary", Risk.PROGRAM),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", "application/x-mach-binary", Risk.PROGRAM),
        (b"\xca\xfe\xba\xbe\0\0\0\x41", "application/java-vm", Risk.PROGRAM),
        (b"\0asm\x01\0\0\0", "application/wasm", Risk.PROGRAM),
        (samples.zipped("META-INF/MANIFEST.MF"), "application/java-archive", Risk.PROGRAM),
        (samples.ole(samples.MSI_CLASS), "application/x-msi", Risk.INSTALLER),
        (
            b"!<arch>\ndebian-binary   1700000000",
            "application/vnd.debian.binary-package",
            Risk.INSTALLER,
        ),
        (b"\xed\xab\xee\xdb\x03\0", "application/x-rpm", Risk.INSTALLER),
        (b"xar!\0\x1c", "application/x-xar", Risk.INSTALLER),
        (b"#!/bin/sh\necho", "application/x-shellscript", Risk.SCRIPT),
        (b"#!/usr/bin/env python3\n", "text/x-python", Risk.SCRIPT),
        (b"#!", "application/x-shellscript", Risk.SCRIPT),
        (b"#!/bin/sh\n\0\xff binary follows", "application/x-shellscript", Risk.SCRIPT),
        (b"L\0\0\0\x01\x14\x02\0\0\0", "application/x-ms-shortcut", Risk.SCRIPT),
        (b"# a comment\n\n[Desktop Entry]\nExec=sh", "application/x-desktop", Risk.SCRIPT),
        (b"[InternetShortcut]\r\nURL=file://x", "application/x-mswinurl", Risk.SCRIPT),
        (b"@ECHO OFF\r\ndel x", "application/x-bat", Risk.SCRIPT),
        (b"<?php system('x');", "application/x-php", Risk.SCRIPT),
        (b"<html>\n<HTA:APPLICATION id=x>", "application/hta", Risk.SCRIPT),
        (samples.zipped("a.txt"), "application/zip", Risk.ARCHIVE),
        (b"PK\x05\x06" + bytes(18), "application/zip", Risk.ARCHIVE),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "application/x-7z-compressed", Risk.ARCHIVE),
        (b"Rar!\x1a\x07\x01\0", "application/vnd.rar", Risk.ARCHIVE),
        (samples.gz(), "application/gzip", Risk.ARCHIVE),
        (b"\xfd7zXZ\0\0\x04", "application/x-xz", Risk.ARCHIVE),
        (b"\x28\xb5\x2f\xfd\x24", "application/zstd", Risk.ARCHIVE),
        (samples.tar(), "application/x-tar", Risk.ARCHIVE),
        (b"\x1e\x5d-lh5-\0\0", "application/x-lzma", Risk.ARCHIVE),
        (b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed", Risk.ARCHIVE),
        (b"!<arch>\n/               0", "application/x-archive", Risk.ARCHIVE),
        (b"%PDF-1.7\n%\xe2\xe3", "application/pdf", Risk.DOCUMENT),
        (b"junk\0\0\0%PDF-1.4", "application/pdf", Risk.DOCUMENT),
        (samples.ole(), "application/x-ole-storage", Risk.DOCUMENT),
        (b"{\\rtf1\\ansi", "application/rtf", Risk.DOCUMENT),
        (b"\xef\xbb\xbf \n<!DOCTYPE HTML>", "text/html", Risk.DOCUMENT),
        (b'<?xml version="1.0"?><svg xmlns="x">', "image/svg+xml", Risk.DOCUMENT),
        (b"<svg onload=x>", "image/svg+xml", Risk.DOCUMENT),
        (b'<?xml version="1.0"?><a/>', "application/xml", Risk.DOCUMENT),
        (b"plain words\n", "text/plain", Risk.DOCUMENT),
        (b"caf\xe9 in latin-1", "text/plain", Risk.DOCUMENT),
        ("日本".encode(), "text/plain", Risk.DOCUMENT),
        ("<html>".encode("utf-16"), "text/html", Risk.DOCUMENT),
        (b"BMW is a car", "text/plain", Risk.DOCUMENT),
        (b"\0\x01\0\0\0\x10", "font/sfnt", Risk.OTHER),
        (b"SQLite format 3\0", "application/vnd.sqlite3", Risk.OTHER),
        (b"\0\0\0\x20ftypisom", "video/mp4", Risk.MEDIA),
        (b"RIFF\0\0\0\0WAVE", "video/x-msvideo", Risk.MEDIA),
        (b"\x1a\x45\xdf\xa3\x01", "video/x-matroska", Risk.MEDIA),
        (b"OggS\0\x02", "audio/ogg", Risk.MEDIA),
        (b"ID3\x04", "audio/mpeg", Risk.MEDIA),
        (b"\x89PNG\r\n\x1a\n\0", "image/png", Risk.IMAGE),
        (b"\xff\xd8\xff\xe0", "image/jpeg", Risk.IMAGE),
        (b"GIF89a\x01", "image/gif", Risk.IMAGE),
        (b"RIFF\0\0\0\0WEBP", "image/webp", Risk.IMAGE),
        (b"\0\0\0\x20ftypheic", "image/heif", Risk.IMAGE),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0", "image/bmp", Risk.IMAGE),
    ],
)
def test_first_bytes_tell_what_it_is(head, content_type, risk):
    assert recognised(head) == (content_type, risk)


@pytest.mark.parametrize("head", [b"", b"\0", b"\x01\x02\x03\x04", bytes(4096)])
def test_what_nobody_knows_is_not_guessed(head):
    assert recognised(head) is None


def with_at(text, at, mark):
    return text.ljust(at, b"x")[:at] + mark + bytes([32]) * 300


@pytest.mark.parametrize(
    "head",
    [
        b"#abcftypisom\n[Desktop Entry]\nExec=x",
        b"# %PDF-1.4\n[Desktop Entry]\nExec=x",
        with_at(b"[Desktop Entry]\nExec=x\n#", 257, b"ustar"),
        b"#--lh5-\n[Desktop Entry]",
        b"#!/bin/sh ftyp",
    ],
)
def test_a_script_does_not_pass_for_something_milder_by_a_mark_further_on(head):
    assert recognised(head)[1] is Risk.SCRIPT


def test_prose_about_scripts_is_prose():
    assert recognised(b"write this:\n[Desktop Entry]\nExec=x")[1] is Risk.DOCUMENT
    assert recognised(b"first say @echo off")[1] is Risk.DOCUMENT


def test_a_long_head_of_white_space_and_comments_costs_no_time():
    assert recognised(b"# \n" * 1365)[0] == "text/plain"
    assert recognised(b"<" * 4096)[0] == "text/plain"


magics = st.sampled_from(
    [b"", b"MZ", b"PK\x03\x04", b"#!", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xd0\xcf\x11\xe0", b"<?"]
)


@given(magic=magics, rest=st.binary(max_size=4096))
def test_no_bytes_whatever_are_too_much_for_it(magic, rest):
    found = recognised(magic + rest)
    if found is not None:
        content_type, risk = found
        assert content_type.count("/") == 1
        assert isinstance(risk, Risk)
