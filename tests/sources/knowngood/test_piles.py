import os

import pytest

from checkfirst.errors import Problem
from checkfirst.sources.knowngood.piles import PILES, Piles
from tests.sources.knowngood.made import digests


@pytest.mark.parametrize("near", [20, 777, 10**9])
def test_what_is_dealt_comes_back_by_its_first_byte(tmp_path, near):
    hashes = digests(3000)
    piles = Piles(tmp_path, near=near)
    for at in range(0, 3000, 100):
        piles.add(hashes[at : at + 100])
    piles.add(hashes[:50])
    for number in range(PILES):
        assert piles.pile(number) == {one[:20] for one in hashes if one[0] == number}
    assert piles.size == 3050
    piles.close()


def test_scratch_space_has_no_name(tmp_path):
    piles = Piles(tmp_path, near=20)
    piles.add(digests(100))
    assert os.listdir(tmp_path) == []
    piles.close()


def test_hashes_that_are_not_spread_cannot_fill_the_memory(tmp_path):
    piles = Piles(tmp_path, near=200, most=100)
    piles.add([b"a" + one[1:] for one in digests(100)])
    assert len(piles.pile(ord("a"))) == 100
    piles.add([b"a" + digests(1, first=100)[0][1:]])
    with pytest.raises(Problem, match="not spread"):
        piles.pile(ord("a"))
    piles.close()
