import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.policy.retry import backoff, doubling


def test_waits_double_up_to_the_most():
    assert [backoff(n, 5.0, 60.0, 0.0) for n in range(6)] == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_chance_lengthens_a_wait_by_up_to_a_quarter():
    assert backoff(0, 8.0, 900.0, 0.5) == 9.0
    assert backoff(0, 8.0, 900.0, 0.999) < 10.0


@given(
    st.integers(0, 10**9),
    st.floats(0.1, 1e3),
    st.floats(0.1, 1e6),
    st.floats(0.0, 1.0, exclude_max=True),
)
def test_a_wait_is_never_longer_than_the_most_nor_shorter_than_the_first(n, first, most, chance):
    wait = backoff(n, first, most, chance)
    assert min(first, most) <= wait <= most


@given(st.integers(0, 30), st.floats(0.0, 1.0, exclude_max=True))
def test_a_later_wait_is_longer_whatever_chance_says(n, chance):
    assert backoff(n + 1, 5.0, 1e12, 0.0) > backoff(n, 5.0, 1e12, chance)


def test_pending_reports_are_asked_for_after_five_minutes_doubling_to_six_hours():
    assert [doubling(n) / 60 for n in range(9)] == [5, 10, 20, 40, 80, 160, 320, 360, 360]


@pytest.mark.parametrize(("asked", "wait"), [(-1, 30.0), (0, 30.0), (1, 60.0), (99, 300.0)])
def test_doubling_takes_other_spans_and_any_count(asked, wait):
    assert doubling(asked, 30.0, 300.0) == wait
