import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.policy.ignore import Temporary, ignored, is_partner, partner, temporary


@pytest.mark.parametrize(
    "name",
    [
        b"file.bin.crdownload",
        b"Unconfirmed 193803.crdownload",
        b"FILE.CRDOWNLOAD",
        b"iJPU3tNE.bin.part",
        b".part",
        b"file.bin.aria2",
        b"file.bin.aria2__temp",
        b"film.mp4.ytdl",
        b"film.mp4.part-Frag12",
        b"film.mp4.part-Frag12.part",
        b"a.iso.!qB",
        b"a.iso.!ut",
        b"a.iso.!bt",
        b"a.iso.bc!",
        b"a.iso.bt!",
        b"a.opdownload",
        b"a.fdmdownload",
        b"a.wkdownload",
        b"a.partial",
        b"a.filepart",
        b"a.dctmp",
        b"Big.zip.download",
    ],
)
def test_unfinished_downloads_are_inert(name):
    assert temporary(name) is Temporary.INERT


@pytest.mark.parametrize(
    "name",
    [
        b".org.chromium.Chromium.AbC123",
        b".org.chromium.Chromium.x.exe",
        b".file.bin.7CGeBg",
        b".syncthing.setup.exe.tmp",
        b"~syncthing~setup.exe.tmp",
        b".goutputstream-ABC123",
        b"film.temp.mp4",
        b"film.f137.mp4",
        b"film.f251-drc.webm",
        b"~$letter.docx",
        b".~lock.letter.odt#",
        b"~wrd0001.tmp",
        b"notes.~1~",
        b"a.td",
        b"~$new\nline",
    ],
)
def test_names_that_only_look_unfinished_are_other(name):
    assert temporary(name) is Temporary.OTHER


@pytest.mark.parametrize(
    "name",
    [
        b"file.bin",
        b"part",
        b"apart",
        b"x.part.exe",
        b"x.crdownload.exe",
        b"evil.exe ",
        b"x.part\n",
        b".bashrc",
        b"setup.f1.exe",
        b"temp.exe",
        b"\xff\xfe.bin",
        b"",
    ],
)
def test_other_names_are_not_temporary(name):
    assert temporary(name) is Temporary.NO


@given(st.binary(max_size=255))
def test_case_makes_no_difference(name):
    assert temporary(name.lower()) is temporary(name.upper())


def test_the_users_glob_that_matches_is_given():
    assert ignored(b"disk.iso", ["*.txt", "*.iso"]) == "*.iso"
    assert ignored(b"Disk.ISO", ["*.iso"]) == "*.iso"
    assert ignored(b"disk.iso", ["DISK.*"]) == "DISK.*"
    assert ignored(b"caf\xe9.iso", ["*.iso"]) == "*.iso"
    assert ignored(b"two\nlines.iso", ["*.iso"]) == "*.iso"


def test_no_glob_no_match():
    assert ignored(b"disk.iso", []) is None
    assert ignored(b"disk.iso.exe", ["*.iso"]) is None


def test_the_partner_is_aria2s_control_file():
    assert partner(b"a.iso") == b"a.iso.aria2"
    assert temporary(partner(b"a.iso")) is Temporary.INERT
    assert is_partner(partner(b"a.iso"))
    assert not is_partner(b"a.aria2.iso")
