"""How many files are open at once."""

import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest

from checkfirst.service.lanes import (
    BATCH_FILES,
    OTHER_DESCRIPTORS,
    SMALL_LANES,
    WANTED_DESCRIPTORS,
    batch_files,
    descriptors,
)
from checkfirst.vault.folder import MOST_FOLDERS


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """The soft and the hard limit, which are put back."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= before[1] <= WANTED_DESCRIPTORS:
        pytest.skip("this machine gives no more")
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("most", [400, 512, 1024, 4096, 2**20])
def test_all_lanes_together_leave_descriptors_for_the_rest(most: int):
    each = batch_files(most) + MOST_FOLDERS
    assert SMALL_LANES * each <= most - OTHER_DESCRIPTORS
    assert 1 <= batch_files(most) <= BATCH_FILES


def test_there_is_always_a_batch():
    assert batch_files(16) == batch_files(300) == 1


def test_what_is_wanted_is_enough_for_whole_batches():
    assert batch_files(WANTED_DESCRIPTORS) == BATCH_FILES
    assert batch_files(WANTED_DESCRIPTORS - SMALL_LANES) < BATCH_FILES


def test_the_limit_is_raised_as_far_as_is_wanted_and_never_lowered(limits: tuple[int, int]):
    hard = limits[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (WANTED_DESCRIPTORS // 2, hard))
    assert descriptors() == WANTED_DESCRIPTORS
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (WANTED_DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (WANTED_DESCRIPTORS + 1, hard))
    assert descriptors() == WANTED_DESCRIPTORS + 1
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (WANTED_DESCRIPTORS + 1, hard)


def test_where_no_more_may_be_had_it_is_what_there_is():
    code = "import resource\n"
    code += "resource.setrlimit(resource.RLIMIT_NOFILE, (300, 700))\n"
    code += "from checkfirst.service.lanes import descriptors\n"
    code += "print(descriptors(), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert said.stdout.split() == [b"700", b"700", b"700"]


def test_without_a_limit_batches_are_whole():
    assert batch_files(resource.RLIM_INFINITY) == BATCH_FILES
