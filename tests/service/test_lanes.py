"""How many files are open at once."""

import resource

import pytest

from checkfirst.service.lanes import BATCH_FILES, OTHER_DESCRIPTORS, SMALL_LANES, batch_files
from checkfirst.vault.folder import MOST_FOLDERS


@pytest.mark.parametrize("descriptors", [400, 512, 1024, 4096, 2**20])
def test_all_lanes_together_leave_descriptors_for_the_rest(descriptors: int):
    each = batch_files(descriptors) + MOST_FOLDERS
    assert SMALL_LANES * each <= descriptors - OTHER_DESCRIPTORS
    assert 1 <= batch_files(descriptors) <= BATCH_FILES


def test_there_is_always_a_batch():
    assert batch_files(16) == batch_files(300) == 1


def test_what_linux_gives_is_enough_for_whole_batches():
    assert batch_files(1024) == BATCH_FILES


def test_without_a_limit_batches_are_whole():
    assert batch_files(resource.RLIM_INFINITY) == BATCH_FILES
