"""The arithmetic of a quota of requests a minute, a UTC day and a UTC month.

The server counts a request at some moment between our sending it and its answer reaching us. So a
place in the minute is free again a window after the previous answer *arrived*: then no 60 seconds
of the server's own time ever hold more than the limit. Who stores the numbers is not known here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf

WINDOW = 60.0
"""Seconds of the minute quota."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests allowed in each span; 0 is no limit."""

    per_minute: int
    per_day: int
    per_month: int


@dataclass(frozen=True, slots=True)
class Used:
    """What has been used up."""

    recent: tuple[float, ...]
    """The moment each of the last requests stops counting: WINDOW after its answer arrived."""
    day: int
    """Requests since 00:00 UTC."""
    month: int

    def and_one(self, until: float) -> "Used":
        """One request more, which stops counting towards the minute then."""
        return Used((*self.recent, until), self.day + 1, self.month + 1)


@dataclass(frozen=True, slots=True)
class Slot:
    """Whether a request may be sent now; if not, when to ask again and what is in the way."""

    granted: bool
    until: float
    limit: str = ""
    """`minute`, `day` or `month`; empty when granted."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast requests can follow each other, for telling a person when a turn may come."""

    limits: Limits
    used: Used = Used((), 0, 0)
    at: float = 0.0
    """When that was so."""


class Turns:
    """The moments at which requests may go that follow each other from `start` on."""

    def __init__(self, pace: Pace, start: float) -> None:
        self._pace = pace
        self._gone = 0
        """Requests that go before the day that is looked at."""
        limits, used, today, then = pace.limits, pace.used, day_of(start), day_of(pace.at)
        self._look_at(
            start,
            _left(limits.per_day, used.day if today == then else 0),
            _left(limits.per_month, used.month if today[:7] == then[:7] else 0),
        )

    def after(self, before: int) -> float:
        """When one may go that so many others go before; never fewer than when last asked."""
        while before - self._gone >= self._room:
            self._gone += int(self._room)
            self._go_on()
        return self._within_minutes(before - self._gone)

    def _look_at(self, start: float, day_left: float, month_left: float) -> None:
        """Look at the day that begins then, or what is left of it, and the requests left in it."""
        self._start = start
        self._month_left = month_left
        self._room = min(day_left, month_left)

    def _go_on(self) -> None:
        """Look at the next day, or the next month's first where nothing is left of this one."""
        limits, left, first = (
            self._pace.limits,
            self._month_left - self._room,
            next_month(self._start),
        )
        start = next_day(self._start) if left else first
        month_left = left if start < first else _left(limits.per_month, 0)
        self._look_at(start, _left(limits.per_day, 0), month_left)

    def _within_minutes(self, before: int) -> float:
        """The places of a minute are free one by one, and each is taken again once in a window."""
        per_minute = self._pace.limits.per_minute
        if not per_minute:
            return self._start
        recent = self._pace.used.recent
        taken = sorted(moment for moment in recent if moment > self._start)[-per_minute:]
        rounds, place = divmod(before, per_minute)
        free_at_once = per_minute - len(taken)
        first = self._start if place < free_at_once else taken[place - free_at_once]
        return first + rounds * WINDOW


def _left(limit: int, used: int) -> float:
    """What may still be sent of a limit, where 0 is none."""
    return max(limit - used, 0) if limit else inf


def wait(limits: Limits, used: Used, now: float) -> Slot:
    """Grant a request, or name the limit that ends last and the moment it does.

    A moment in `recent` that lies further ahead than any answer could have put it (the clock was
    set back) is believed only for one window from now.
    """
    if limits.per_month and used.month >= limits.per_month:
        return Slot(granted=False, until=next_month(now), limit="month")
    if limits.per_day and used.day >= limits.per_day:
        return Slot(granted=False, until=next_day(now), limit="day")
    counting = sorted(moment for moment in used.recent if moment > now)
    if limits.per_minute and len(counting) >= limits.per_minute:
        free = counting[len(counting) - limits.per_minute]
        return Slot(granted=False, until=min(free, now + WINDOW), limit="minute")
    return Slot(granted=True, until=now)


def narrower(wanted: Limits, told: Limits | None) -> Limits:
    """What two agree on: of each span the smaller limit, where 0 is none."""
    if told is None:
        return wanted
    return Limits(
        _smaller(wanted.per_minute, told.per_minute),
        _smaller(wanted.per_day, told.per_day),
        _smaller(wanted.per_month, told.per_month),
    )


def _smaller(one: int, other: int) -> int:
    return min(one or other, other or one)


def day_of(now: float) -> str:
    """Name the UTC day, `YYYY-MM-DD`."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")


def next_day(now: float) -> float:
    """Give the moment the day's counter turns."""
    return (_midnight(now) + timedelta(days=1)).timestamp()


def next_month(now: float) -> float:
    """Give the moment the month's counter turns."""
    first = _midnight(now).replace(day=1)
    return (first + timedelta(days=32)).replace(day=1).timestamp()


def _midnight(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
