import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.model import Risk
from checkfirst.policy.suffixes import claimed, suffix


@pytest.mark.parametrize(
    ("name", "last"),
    [
        (b"setup.exe", "exe"),
        (b"SETUP.EXE", "exe"),
        (b"report.pdf.exe", "exe"),
        ("photo\u202egpj.exe".encode(), "exe"),
        ("photo.e\u200bxe".encode(), "exe"),
        ("photo.exe\u200b".encode(), "exe"),
        (b"report.exe ", "exe"),
        (b"report.exe. . ", "exe"),
        (b"report.pdf                                        .exe", "exe"),
        (b"report. exe", "exe"),
        (b"two\nlines.exe\n", "exe"),
        (b"caf\xe9.exe", "exe"),
        (b".exe", ""),
        (b"...exe", ""),
        (b"none", ""),
        (b"", ""),
        (b"...", ""),
    ],
)
def test_the_last_real_suffix_counts(name, last):
    assert suffix(name) == last


@pytest.mark.parametrize(
    ("name", "risk"),
    [
        (b"a.dll", Risk.PROGRAM),
        (b"a.AppImage", Risk.PROGRAM),
        (b"a.dmg", Risk.INSTALLER),
        (b"a.flatpakref", Risk.INSTALLER),
        (b"a.ps1", Risk.SCRIPT),
        (b"a.lnk", Risk.SCRIPT),
        (b"a.hta", Risk.SCRIPT),
        (b"a.iso", Risk.ARCHIVE),
        (b"a.docm", Risk.DOCUMENT),
        (b"a.svg", Risk.DOCUMENT),
        (b"a.ttf", Risk.OTHER),
        (b"a.mkv", Risk.MEDIA),
        (b"a.heic", Risk.IMAGE),
    ],
)
def test_suffixes_claim_a_risk(name, risk):
    assert claimed(name)[1] is risk


def test_an_unknown_suffix_claims_nothing():
    assert claimed(b"a.xyzzy") is None
    assert claimed(b"a") is None


@given(st.binary(max_size=255))
def test_no_name_makes_it_raise(name):
    assert suffix(name) == suffix(name).strip(". ").lower()
