import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.policy.origin_mark import LONGEST, address, zone_address


@pytest.mark.parametrize(
    ("mark", "shown"),
    [
        ("https://example.com/a/b.zip", "https://example.com/a/b.zip"),
        ("https://example.com/a?token=s3cret&x=1", "https://example.com/a"),
        ("https://example.com?s3cret", "https://example.com"),
        ("https://example.com/a#s3cret", "https://example.com/a"),
        ("https://example.com/a;jsessionid=s3cret?x", "https://example.com/a"),
        ("https://ann:s3cret@example.com:8443/a", "https://example.com:8443/a"),
        ("https://ann@x:s3cret@example.com/a", "https://example.com/a"),
        ("ftp://s3cret@[2001:db8::1]:21/a", "ftp://[2001:db8::1]:21/a"),
        ("HTTPS://Example.com/A", "https://Example.com/A"),
        (
            "https://example.com/proxy/http://ann:s3cret@other/a",
            "https://example.com/proxy/http://other/a",
        ),
        ("blob:https://ann:s3cret@example.com/0a1b?s3cret", "blob:https://example.com/0a1b"),
        ("file:///home/ann/a.zip", "file:///home/ann/a.zip"),
        # What cannot be taken apart for certain:
        ("https:/ann:s3cret@example.com/a", "https:"),
        ("https:ann:s3cret@example.com/a", "https:"),
        ("https:\\\\ann:s3cret@example.com\\a", "https:"),
        ("https:///ann:s3cret@example.com/a", "https:"),
        ("https://ann:s3cret/x@example.com/a", "https:"),
        ("https://[s3cret/a", "https:"),
        ("data:text/plain,s3cret", "data:"),
        ("javascript:s3cret", "javascript:"),
        ("blob:s3cret", "blob:"),
        # What is no address:
        ("about:internet", None),
        ("s3cret", None),
        ("//s3cret/x", None),
        ("", None),
        ("\0", None),
        (" https://example.com/a \0", "https://example.com/a"),
    ],
)
def test_an_address_is_kept_without_its_secrets(mark, shown):
    assert address(mark.encode()) == shown


def test_bytes_that_are_no_text_stay_harmless():
    assert address(b"https://example.com/\xff\n") == "https://example.com/\ufffd"


def test_an_endless_address_is_cut():
    shown = address(b"https://example.com/" + b"a" * 60_000)
    assert len(shown) == LONGEST
    assert shown.endswith("…")


@given(before=st.text(), after=st.text())
def test_no_secret_gets_through_wherever_it_stands(before, after):
    for mark in (
        f"https://example.com/{before}?s3cret{after}",
        f"https://ann:s3cret@example.com/{before}",
        f"https://example.com/{before}#{after}s3cret",
    ):
        assert "s3cret" not in (address(mark.encode(errors="replace")) or "")


@given(st.binary())
def test_no_bytes_are_too_strange(mark):
    for shown in (address(mark), zone_address(mark)):
        assert shown is None or len(shown) <= LONGEST


ZONE = "[ZoneTransfer]\r\nZoneId=3\r\nReferrerUrl=https://example.com/page\r\nHostUrl={}\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_zone_tells_where_the_file_is_from(encoding):
    content = ZONE.format("https://ann:s3cret@cdn.example.com/a.zip?s3cret").encode(encoding)
    assert zone_address(content) == "https://cdn.example.com/a.zip"


@pytest.mark.parametrize("unknown", ["", "about:internet", "rubbish"])
def test_a_zone_that_does_not_know_the_file_tells_the_page(unknown):
    assert zone_address(ZONE.format(unknown).encode()) == "https://example.com/page"


def test_a_zone_without_address_tells_nothing():
    assert zone_address(b"[ZoneTransfer]\r\nZoneId=3\r\n") is None
