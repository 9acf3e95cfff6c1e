"""A file is not gone because the folder that is there now does not have it."""

import os

import pytest

from checkfirst.model import Arrival, State
from checkfirst.vault.held_elsewhere import is_held_elsewhere_blocking


@pytest.fixture
def row(tmp_path):
    held = os.fsencode(tmp_path / "held" / "slot" / "file")
    os.makedirs(os.path.dirname(held))
    return Arrival(1, State.WAITING, b"/d", b"/d/file", held=held, held_at=1.0)


def test_the_folder_is_there(row):
    dev = os.stat(os.path.dirname(row.held)).st_dev
    assert not is_held_elsewhere_blocking(row._replace(dev=dev))


def test_it_is_not_there(row, tmp_path):
    (tmp_path / "held").rename(tmp_path / "away")
    assert is_held_elsewhere_blocking(row)


def test_another_device_has_its_place(row):
    dev = os.stat(os.path.dirname(row.held)).st_dev
    assert is_held_elsewhere_blocking(row._replace(dev=dev + 1))


def test_before_a_file_is_held_its_device_is_that_of_the_folder_it_came_to(row):
    assert not is_held_elsewhere_blocking(row._replace(held_at=None, dev=0))


def test_what_never_had_a_place_has_none_elsewhere(row):
    assert not is_held_elsewhere_blocking(row._replace(held=None))
