"""The arithmetic of a quota of requests a minute, a UTC day and a UTC month.

The server counts a request at some moment between our sending it and its answer reaching us. So a
place in the minute is free again a window after the previous answer *arrived*: then no 60 seconds
of the server's own time ever hold more than the limit. Who stores the numbers is not known here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WINDOW = 60.0
"""Seconds of the minute quota."""

_DAY = 86_400.0


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

    per_minute: int
    """0 is no limit, here and below."""
    per_day: int
    day: str = ""
    """The UTC day that `used` is about."""
    used: int = 0
    recent: tuple[float, ...] = ()
    """As in `Used`."""

    def turn(self, start: float, before: int) -> float:
        """Give the moment at which a request may go when so many others go before it from `start`.

        A month that is not spent yet is not looked ahead to.
        """
        if not self.per_day:
            return self._within_minutes(start, before)
        left = max(self.per_day - (self.used if day_of(start) == self.day else 0), 0)
        if before < left:
            return self._within_minutes(start, before)
        days, on_the_last = divmod(before - left, self.per_day)
        midnight = _midnight(start).timestamp() + (days + 1) * _DAY
        return self._within_minutes(midnight, on_the_last)

    def _within_minutes(self, start: float, before: int) -> float:
        """The places of a minute are free one by one, and each is taken again once in a window."""
        if not self.per_minute:
            return start
        taken = sorted(moment for moment in self.recent if moment > start)[-self.per_minute :]
        rounds, place = divmod(before, self.per_minute)
        free_at_once = self.per_minute - len(taken)
        first = start if place < free_at_once else taken[place - free_at_once]
        return first + rounds * WINDOW


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
