import pytest

from checkfirst.policy.sizes import readable


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (1_234_567, "1.2 MB"),
        (2_500_000_000, "2.5 GB"),
    ],
)
def test_a_size_has_the_largest_unit_that_fits(count, words):
    assert readable(count) == words
