"""How many files are open at once."""

import resource

import pytest

from checkfirst.service.lanes import BATCH_FILES, OTHER_DESCRIPTORS, SMALL_LANES, batch_files


@pytest.mark.parametrize("descriptors", [300, 512, 1024, 4096, 2**20])
def test_all_lanes_together_leave_descriptors_for_the_rest(descriptors: int):
    assert SMALL_LANES * batch_files(descriptors) <= descriptors - OTHER_DESCRIPTORS
    assert 1 <= batch_files(descriptors) <= BATCH_FILES


def test_there_is_always_a_batch():
    assert batch_files(16) == 1
    assert batch_files(resource.RLIM_INFINITY) == BATCH_FILES
