import hashlib
import os

import pytest

from checkfirst.vault.grip import grasp_blocking, stamp_of
from checkfirst.vault.move import copy_noreplace_blocking
from checkfirst.vault.problems import ChangedError

DATA = b"content"
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def source(place):
    with open(place + b"/source", "wb") as file:
        file.write(DATA)
    os.mkdir(place + b"/to")
    return place + b"/source"


@pytest.mark.parametrize("expected", [None, SHA])
def test_a_copy_comes_with_stamp_and_hash(place, source, expected):
    with grasp_blocking(source, lease=True) as grip:
        stamp, sha256 = copy_noreplace_blocking(grip, place + b"/to", b"copy", expected)
    assert sha256 == SHA
    assert stamp.same_file(stamp_of(os.stat(place + b"/to/copy")))
    assert os.path.exists(source)


def test_a_copy_replaces_nothing(place, source):
    with open(place + b"/to/copy", "wb") as file:
        file.write(b"mine")
    with grasp_blocking(source, lease=True) as grip, pytest.raises(FileExistsError):
        copy_noreplace_blocking(grip, place + b"/to", b"copy", SHA)
    assert os.listdir(place + b"/to") == [b"copy"]
    assert os.stat(place + b"/to/copy").st_size == 4


def test_other_bytes_are_not_copied(place, source):
    with grasp_blocking(source, lease=True) as grip, pytest.raises(ChangedError):
        copy_noreplace_blocking(grip, place + b"/to", b"copy", "0" * 64)
    assert os.listdir(place + b"/to") == []
