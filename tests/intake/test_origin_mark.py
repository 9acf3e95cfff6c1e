"""Marks as they lie on a real filesystem."""

import os
import plistlib

import pytest

from checkfirst.intake.origin_mark import origin_url_blocking

ZONE = b"[ZoneTransfer]\r\nZoneId=3\r\nHostUrl=https://example.com/a.zip?s3cret\r\n"
FROM = plistlib.dumps(
    ["https://example.com/a.zip?s3cret", "https://example.com/page"], fmt=plistlib.FMT_BINARY
)
A = "https://example.com/a.zip"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"bytes")
    return path


def mark(path, name, value):
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"no user attributes on this filesystem: {error}")


def read(path, came=True):
    with path.open("rb") as file:
        return origin_url_blocking(file.fileno(), os.fsencode(path) if came else None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("user.xdg.origin.url", b"https://ann:s3cret@example.com/a.zip?s3cret"),
        ("user.xdg.referrer.url", b"https://example.com/a.zip#s3cret"),
        ("user.Zone.Identifier", ZONE),
        ("user.DosStream.Zone.Identifier:$DATA", ZONE),
        ("user.com.apple.metadata:kMDItemWhereFroms", FROM),
    ],
)
def test_each_mark_tells_its_address(path, name, value):
    mark(path, name, value)
    assert read(path) == A


def test_the_file_s_own_address_goes_before_its_page_s(path):
    mark(path, "user.xdg.referrer.url", b"https://example.com/page")
    assert read(path) == "https://example.com/page"
    mark(path, "user.xdg.origin.url", b"about:internet")
    assert read(path) == "https://example.com/page"
    mark(path, "user.Zone.Identifier", ZONE)
    assert read(path) == A
    mark(path, "user.xdg.origin.url", b"https://example.com/b")
    assert read(path) == "https://example.com/b"


@pytest.mark.parametrize(
    "value", [b"", b"\xff" * 1000, b"bplist00" + b"\xff" * 40, b"<plist><array>" * 50]
)
def test_strange_bytes_are_no_mark(path, value):
    mark(path, "user.com.apple.metadata:kMDItemWhereFroms", value)
    mark(path, "user.xdg.origin.url", value)
    assert read(path) is None


def test_a_quarantine_mark_of_a_mac_holds_no_address(path):
    mark(path, "user.com.apple.quarantine", b"0083;5f3b1c2d;Safari;0F1B2C3D")
    assert read(path) is None


def test_a_file_beside_it_tells_of_one_that_has_just_come(path):
    path.with_name("a.zip:Zone.Identifier").write_bytes(ZONE)
    assert read(path) == A
    assert read(path, came=False) is None


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda at: os.symlink("/etc/passwd", at)])
def test_what_lies_beside_it_and_is_no_file_is_left_alone(path, make):
    make(path.with_name("a.zip:Zone.Identifier"))
    assert read(path) is None


def test_a_file_without_marks_has_no_address(path):
    assert read(path) is None
