from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.model import Arrival, State, VerdictKind
from checkfirst.policy.quota import WINDOW, Limits, Used, next_day, wait
from checkfirst.policy.recheck import Conclusion, conclude, is_past, spare

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
PUBLIC = Limits(4, 500, 15_500)


def minute(number: int) -> tuple[float, ...]:
    return tuple(NOON + 10.0 + n for n in range(number))


def test_half_of_the_minute_is_left_to_files_that_come():
    assert spare(PUBLIC, Used(minute(1), 1, 1), NOON).granted
    slot = spare(PUBLIC, Used(minute(2), 2, 2), NOON)
    assert (slot.granted, slot.until, slot.limit) == (False, NOON + 10, "minute")


def test_half_of_the_day_is_left_to_files_that_come():
    assert spare(PUBLIC, Used((), 249, 249), NOON).granted
    slot = spare(PUBLIC, Used((), 250, 250), NOON)
    assert (slot.granted, slot.until, slot.limit) == (False, next_day(NOON), "day")


def test_of_the_month_only_half_of_what_is_due_by_tonight_is_used():
    """24 of 30 days: 800 of 1000 are due, and 400 may be used."""
    thousand = Limits(0, 0, 1000)
    assert spare(thousand, Used((), 0, 399), NOON).granted
    slot = spare(thousand, Used((), 0, 400), NOON)
    assert (slot.granted, slot.until, slot.limit) == (False, next_day(NOON), "month")


def test_an_account_with_one_request_a_day_has_none_to_spare():
    assert not spare(Limits(1, 1, 31), Used((), 0, 0), NOON).granted


def test_an_account_with_one_request_a_minute_may_use_it():
    one = Limits(1, 500, 15_500)
    assert spare(one, Used((), 0, 0), NOON).granted
    assert not spare(one, Used(minute(1), 1, 1), NOON).granted


def test_without_limits_there_is_always_something_to_spare():
    assert spare(Limits(0, 0, 0), Used(minute(99), 10_000, 100_000), NOON).granted


@given(
    st.tuples(*[st.integers(0, 50)] * 3),
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 400 * 86_400),
)
def test_it_is_never_granted_where_a_waiting_file_would_not_be(limits, recent, day, month, passed):
    now = NOON + passed
    used = Used(tuple(now + WINDOW / 2 for _ in range(recent)), day, month)
    slot = spare(Limits(*limits), used, now)
    if slot.granted:
        assert wait(Limits(*limits), used, now).granted
    else:
        assert slot.until > now


def file(state: State, verdict: VerdictKind, finished_at: float | None = NOON) -> Arrival:
    return Arrival(1, state, b"/w", b"/w/a", verdict=verdict, finished_at=finished_at)


@pytest.mark.parametrize(
    ("state", "verdict", "said", "conclusion"),
    [
        ("released", "unknown", "malicious", "take-back"),
        ("released", "clean", "malicious", "take-back"),
        ("restored", "unknown", "malicious", "take-back"),
        ("released", "unknown", "clean", "nothing"),
        ("released", "clean", "unknown", "nothing"),
        ("quarantined", "unknown", "clean", "cleared"),
        ("quarantined", "unknown", "malicious", "confirmed"),
        ("quarantined", "malicious", "clean", "nothing"),
        ("quarantined", "malicious", "malicious", "nothing"),
        ("quarantined", "unknown", "pending", "nothing"),
        ("released", "unknown", "pending", "nothing"),
        ("deleted", "unknown", "malicious", "nothing"),
        ("held", "unknown", "malicious", "nothing"),
    ],
)
def test_what_an_answer_leads_to(state, verdict, said, conclusion):
    found = conclude(file(State(state), VerdictKind(verdict)), VerdictKind(said))
    assert found is Conclusion(conclusion)


@pytest.mark.parametrize(("ended", "past"), [(NOON, False), (NOON - 9, False), (NOON - 10, True)])
def test_a_file_is_past_when_its_days_are_over(ended, past):
    assert is_past(file(State.RELEASED, VerdictKind.UNKNOWN, ended), 10.0, NOON) is past
