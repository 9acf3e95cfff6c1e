from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.policy.quota import (
    WINDOW,
    Limits,
    Pace,
    Slot,
    Turns,
    Used,
    day_of,
    narrower,
    next_day,
    next_month,
    wait,
)

NOW = datetime(2026, 11, 24, 13, 37, tzinfo=UTC).timestamp()
LIMITS = Limits(per_minute=4, per_day=500, per_month=15_500)
TIMEOUT = 30.0


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def used(*recent, day=0, month=0):
    return Used(tuple(NOW + moment for moment in recent), day, month)


def test_a_free_place_is_granted_at_once():
    assert wait(LIMITS, used(), NOW) == Slot(granted=True, until=NOW, limit="")
    assert wait(LIMITS, used(10, 20, 30), NOW).granted


def test_a_full_minute_waits_for_the_first_place_to_be_free():
    assert wait(LIMITS, used(40, 10, 30, 20), NOW) == Slot(False, NOW + 10, "minute")
    assert wait(LIMITS, used(10, 20, 30, 40), NOW + 10).granted


def test_with_more_in_use_than_allowed_enough_must_become_free():
    assert wait(LIMITS, used(10, 20, 30, 40, 50, 55), NOW) == Slot(False, NOW + 30, "minute")


def test_what_is_free_again_does_not_count():
    assert wait(LIMITS, used(-50, -1, 0, 5, 6, 7), NOW).granted


def test_a_clock_that_was_set_back_blocks_for_no_longer_than_the_window():
    assert wait(LIMITS, used(*[86_400] * 4), NOW) == Slot(False, NOW + WINDOW, "minute")


def test_a_spent_day_or_month_waits_for_its_turn_in_utc():
    tomorrow, december = at("2026-11-25"), at("2026-12-01")
    assert wait(LIMITS, used(day=500), NOW) == Slot(False, tomorrow, "day")
    assert wait(LIMITS, used(day=499, month=15_499), NOW).granted
    assert wait(LIMITS, used(month=15_500), NOW) == Slot(False, december, "month")


def test_the_limit_that_ends_last_is_named():
    assert wait(LIMITS, used(5, 6, 7, 8, day=500), NOW).limit == "day"
    assert wait(LIMITS, used(5, 6, 7, 8, day=500, month=15_500), NOW).limit == "month"


def test_zero_is_no_limit():
    assert wait(Limits(0, 0, 0), used(*range(1, 50), day=10**6, month=10**7), NOW).granted
    assert wait(Limits(1, 0, 0), used(5, day=10**6), NOW).limit == "minute"


@pytest.mark.parametrize(
    ("now", "day", "tomorrow", "month"),
    [
        ("2026-11-24T00:00:00", "2026-11-24", "2026-11-25", "2026-12-01"),
        ("2026-11-24T23:59:59.999", "2026-11-24", "2026-11-25", "2026-12-01"),
        ("2026-12-31T12:00:00", "2026-12-31", "2027-01-01", "2027-01-01"),
        ("2028-02-29T01:00:00", "2028-02-29", "2028-03-01", "2028-03-01"),
        ("2027-01-31T01:00:00", "2027-01-31", "2027-02-01", "2027-02-01"),
    ],
)
def test_days_and_months_turn_at_midnight_utc(now, day, tomorrow, month):
    assert day_of(at(now)) == day
    assert next_day(at(now)) == at(tomorrow)
    assert next_month(at(now)) == at(month)


@given(st.floats(0.0, 4e9))
def test_the_next_day_is_another_and_less_than_25_hours_away(now):
    assert now < next_day(now) <= now + 86_400
    assert next_day(now) <= next_month(now) <= now + 31 * 86_400
    assert day_of(next_day(now)) != day_of(now)


requests = st.lists(
    st.tuples(
        st.floats(0.0, 90.0),  # since the request before was thought of
        st.floats(0.0, TIMEOUT),  # until the answer arrives
        st.floats(0.0, 1.0),  # when on the way the server counts it
        st.booleans(),  # whether the answer arrives at all
    ),
    min_size=1,
    max_size=60,
)


@given(requests, st.integers(1, 6))
def test_the_server_never_sees_more_than_the_limit_in_any_minute(wishes, per_minute):
    """Requests overlap; one whose answer never came counts from its time-out on."""
    limits, now, counted = Limits(per_minute, 0, 0), 0.0, []
    sent = []  # (moment of the answer or time-out, moment sent)
    for pause, answer_time, share, answered in wishes:
        now += pause
        while True:
            recent = tuple(
                (answer if answer <= now else start + TIMEOUT) + WINDOW for answer, start in sent
            )
            slot = wait(limits, Used(recent, 0, 0), now)
            if slot.granted:
                break
            assert now < slot.until <= now + WINDOW
            now = slot.until
        sent.append((now + (answer_time if answered else TIMEOUT), now))
        counted.append(now + share * answer_time)
    counted.sort()
    for first, beyond in zip(counted, counted[per_minute:], strict=False):
        assert beyond - first >= WINDOW - 1e-6


@pytest.mark.parametrize(
    ("wanted", "told", "result"),
    [
        ((4, 500, 15_500), None, (4, 500, 15_500)),
        ((4, 500, 15_500), (1, 1, 31), (1, 1, 31)),
        ((4, 500, 15_500), (1000, 20_000, 1_000_000), (4, 500, 15_500)),
        ((0, 0, 0), (4, 500, 0), (4, 500, 0)),
        ((4, 0, 100), (0, 7, 200), (4, 7, 100)),
    ],
)
def test_what_is_told_narrows_the_settings_and_never_widens_them(wanted, told, result):
    assert narrower(Limits(*wanted), told and Limits(*told)) == Limits(*result)


def pace(*limits: int, day: int = 0, month: int = 0, recent: tuple[float, ...] = (), then=NOW):
    """What was used up by `then`, which is today unless it is told."""
    return Pace(Limits(*limits), Used(recent, day, month), then)


@pytest.mark.parametrize(
    ("known", "before", "turn"),
    [
        (pace(4, 500, 0), 0, NOW),
        (pace(4, 500, 0), 8, NOW + 120),
        (pace(0, 0, 0), 1_000_000, NOW),
        (pace(4, 0, 0), 1000, NOW + 15_000),
        (pace(4, 10, 0, day=8), 1, NOW),
        (pace(4, 0, 0, recent=(NOW + 1, NOW + 30, NOW + 40, NOW - 5)), 0, NOW),
        (pace(4, 0, 0, recent=(NOW + 40, NOW + 1, NOW + 30, NOW - 5)), 2, NOW + 30),
        (pace(4, 0, 0, recent=(NOW + 1, NOW + 30, NOW + 40, NOW - 5)), 4 + 3, NOW + 100),
        (pace(2, 0, 0, recent=(NOW + 1, NOW + 30, NOW + 40)), 0, NOW + 30),
        (pace(4, 0, 0, recent=(NOW,) * 4), 3, NOW),
        (pace(4, 10, 0, day=8), 2, at("2026-11-25")),
        (pace(4, 10, 0, day=8), 6, at("2026-11-25") + 60),
        (pace(4, 10, 0, day=8), 12, at("2026-11-26")),
        (pace(4, 10, 0, day=99), 0, at("2026-11-25")),
        (pace(4, 10, 0, day=10, then=NOW - 86_400), 9, NOW + 120),
        # The month
        (pace(4, 0, 100, month=98), 1, NOW),
        (pace(4, 0, 100, month=98), 2, at("2026-12-01")),
        (pace(4, 0, 100, month=98), 6, at("2026-12-01") + 60),
        (pace(4, 0, 100, month=98), 102, at("2027-01-01")),
        (pace(4, 10, 100, day=8, month=85), 11, at("2026-11-25") + 120),
        (pace(4, 10, 100, day=8, month=85), 14, at("2026-11-26") + 0),
        (pace(4, 10, 100, day=8, month=85), 15, at("2026-12-01")),
        (pace(4, 10, 100, day=8, month=85), 15 + 99, at("2026-12-10") + 120),
        (pace(4, 10, 100, day=8, month=85), 15 + 100, at("2027-01-01")),
        (pace(4, 10, 100, month=200), 0, at("2026-12-01")),
        (pace(4, 500, 15_500, month=15_500, then=at("2026-10-31")), 0, NOW),
        (pace(4, 1, 31), 6 + 1, at("2026-12-01")),
    ],
)
def test_a_turn_comes_when_those_before_have_had_theirs_on_this_day_or_a_later_one(
    known, before, turn
):
    assert Turns(known, NOW).after(before) == turn


def sent_one_by_one(limits: Limits, used: Used, number: int) -> list[float]:
    """When so many requests go that each take the first moment that is granted."""
    now, moments = NOW, []
    for _ in range(number):
        while not (slot := wait(limits, used, now)).granted:
            day = used.day if day_of(slot.until) == day_of(now) else 0
            month = used.month if day_of(slot.until)[:7] == day_of(now)[:7] else 0
            now, used = slot.until, Used((), day, month)
        moments.append(now)
        used = used.and_one(now)
    return moments


@given(
    day=st.integers(0, 4),
    month=st.integers(0, 90),
    used=st.tuples(st.integers(0, 5), st.integers(0, 95)),
    skip=st.integers(1, 7),
)
def test_turns_are_those_that_the_ledger_grants_one_by_one(day, month, used, skip):
    limits, so_far = Limits(0, day, month), Used((), *used)
    turns = Turns(Pace(limits, so_far, NOW), NOW)
    granted = sent_one_by_one(limits, so_far, 150)
    assert [turns.after(before) for before in range(0, 150, skip)] == granted[::skip]
