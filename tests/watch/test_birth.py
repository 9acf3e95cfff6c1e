import os

import pytest

from checkfirst.watch.birth import birth_blocking
from tests.watch.watching import write


def test_a_file_keeps_its_birth_through_edits_and_renames(tmp_path):
    path = write(bytes(tmp_path) + b"/file")
    born = birth_blocking(path)
    write(path, b"edited")
    os.utime(path, (0, 0))
    os.rename(path, path + b"2")
    assert birth_blocking(path + b"2") == born


def test_a_successor_on_the_same_inode_number_was_born_later(tmp_path):
    path = write(bytes(tmp_path) + b"/file")
    born = birth_blocking(path)
    if born == 0:
        pytest.skip("this filesystem does not tell when an inode was made")
    os.unlink(path)
    write(path)
    assert birth_blocking(path) > born


def test_what_is_not_there_has_no_birth(tmp_path):
    assert birth_blocking(bytes(tmp_path) + b"/none") == 0
