import hashlib
import os

import pytest

from checkfirst.vault.grip import ignore_lease_breaks
from checkfirst.vault.still import Still, others_blocking, still_blocking

CONTENT = b"some bytes"
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module", autouse=True)
def _lease_breaks_are_ignored():
    ignore_lease_breaks()


@pytest.fixture
def path(tmp_path):
    place = os.fsencode(tmp_path / "file")
    with open(place, "wb") as file:
        file.write(CONTENT)
    return place


def look(path, **more):
    return still_blocking(path, SHA, lease=True, **more)


def test_the_same_bytes_are_the_same_whatever_the_inode(path):
    assert look(path) is Still.SAME
    with open(path + b"2", "wb") as file:
        file.write(CONTENT)
    os.rename(path + b"2", path)
    assert look(path) is Still.SAME


def test_other_bytes_a_link_and_a_folder_are_something_else(path):
    os.rename(path, path + b".there")
    os.symlink(path + b".there", path)
    assert look(path) is Still.CHANGED
    os.unlink(path)
    os.mkdir(path)
    assert look(path) is Still.CHANGED
    os.rmdir(path)
    with open(path, "wb") as file:
        file.write(CONTENT + b"!")
    assert look(path) is Still.CHANGED


def test_what_is_not_there_is_gone_unless_its_folder_is_away(path):
    os.unlink(path)
    assert look(path) is Still.GONE
    assert look(path + b"/below") is Still.UNCLEAR
    assert look(b"/nowhere/at/all") is Still.UNCLEAR


def test_what_cannot_be_read_to_its_end_now_is_unclear(path):
    writer = os.open(path, os.O_WRONLY)
    try:
        assert look(path) is Still.UNCLEAR
    finally:
        os.close(writer)
    os.truncate(path, 64 * 1024 * 1024)
    assert look(path, stopped=lambda: True) is Still.UNCLEAR
    assert look(path, stopped=lambda: False) is Still.CHANGED


def others(path, **more):
    return others_blocking(path, SHA, ["md5", "sha1"], lease=False, **more)


@pytest.mark.parametrize("is_folder", [False, True])
def test_other_hashes_are_of_the_same_bytes(path, is_folder):
    if is_folder:
        os.mkdir(path + b".folder")
        os.rename(path, path + b".folder/payload.quarantined")
        path += b".folder"
    found = others(path, is_folder=is_folder)
    assert found == (hashlib.md5(CONTENT).hexdigest(), hashlib.sha1(CONTENT).hexdigest())


def test_a_payload_that_is_not_there_has_none_and_a_folder_that_is_away_may_have(path):
    os.mkdir(path + b".folder")
    assert others(path + b".folder", is_folder=True) == ()
    assert others(path + b".gone", is_folder=True) is None


def test_other_bytes_have_no_other_hashes_here(path):
    os.mkdir(path + b".folder")
    assert others(path + b".folder") == ()
    assert others(path + b".gone") == ()
    with open(path, "ab") as file:
        file.write(b"!")
    assert others(path) == ()


def test_while_a_file_cannot_be_read_its_other_hashes_are_not_known(path):
    assert others(path + b"/below") is None
    assert others(b"/nowhere/at/all") is None
    os.truncate(path, 64 * 1024 * 1024)
    assert others(path, stopped=lambda: True) is None
