from datetime import UTC, datetime

from checkfirst.simulator.quota import UNLIMITED, Account, Limits


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def ask(account: Account, now: float, monotonic: float, *, refused_counts: bool = True) -> bool:
    return account.take(now, monotonic, refused_counts=refused_counts)


def test_the_minute_rolls():
    account = Account("user", Limits(2, 0, 0))

    granted = [ask(account, 0, moment) for moment in (0, 30, 60, 89.9)]
    assert granted == [True, True, True, False]


def test_a_refused_request_counts_unless_it_is_said_not_to():
    strict, mild = Account("strict", Limits(1, 0, 0)), Account("mild", Limits(1, 0, 0))
    moments = (0, 50, 60)

    assert [ask(strict, 0, one) for one in moments] == [True, False, False]
    assert [ask(mild, 0, one, refused_counts=False) for one in moments] == [True, False, True]


def test_the_day_turns_at_midnight_utc():
    account = Account("user", Limits(0, 2, 0))
    before, after = at("2026-11-24 23:59:59"), at("2026-11-25 00:00:00")

    assert [ask(account, before, one) for one in range(3)] == [True, True, False]
    assert ask(account, after, 4)
    assert account.usage(after)["api_requests_daily"] == {"allowed": 2, "used": 1}


def test_the_month_turns_on_the_first_and_not_with_the_day():
    account = Account("user", Limits(0, 0, 2))

    assert ask(account, at("2026-11-29 12:00:00"), 0)
    assert ask(account, at("2026-11-30 12:00:00"), 1)
    assert not ask(account, at("2026-11-30 23:59:59"), 2)
    assert ask(account, at("2026-12-01 00:00:00"), 3)


def test_no_limit_lets_everything_through_and_is_shown_as_a_large_number():
    account = Account("user", Limits(0, 0, 0))

    assert all(ask(account, 0, 0) for _ in range(1000))
    assert account.usage(0)["api_requests_monthly"] == {"allowed": UNLIMITED, "used": 1000}


def test_quota_can_be_spent_beforehand_without_touching_the_minute():
    account = Account("user", Limits(1, 500, 0))
    account.spend(499, 0)

    assert ask(account, 0, 0)
    assert not ask(account, 0, 100)
