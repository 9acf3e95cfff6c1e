"""Keys and their quotas as the server counts them.

The minute is a rolling window, the day and the month turn at 00:00 UTC. What a refused request
costs is not documented; the stricter reading, that it counts as well, is the default.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

MINUTE_SECONDS = 60.0
UNLIMITED = 1_000_000_000
"""Shown as `allowed` where there is no limit; the API has no word for it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests allowed; 0 is no limit. The defaults are those of the public API."""

    per_minute: int = 4
    per_day: int = 500
    per_month: int = 15_500


NO_LIMITS = Limits(0, 0, 0)


@dataclass(slots=True)
class Account:
    """One key's owner and what was used of the quotas."""

    user: str
    limits: Limits = field(default_factory=Limits)
    active: bool = True
    _recent: deque[float] = field(default_factory=deque)
    _used: Counter[str] = field(default_factory=Counter)

    def take(self, now: float, monotonic: float, *, refused_counts: bool) -> bool:
        """Count one request; False when a quota was already spent."""
        while self._recent and monotonic - self._recent[0] >= MINUTE_SECONDS:
            self._recent.popleft()
        granted = all(
            used < limit
            for used, limit in (
                (len(self._recent), self.limits.per_minute),
                (self._used[_day(now)], self.limits.per_day),
                (self._used[_month(now)], self.limits.per_month),
            )
            if limit
        )
        if granted or refused_counts:
            self._recent.append(monotonic)
            self._used.update((_hour(now), _day(now), _month(now)))
        return granted

    def spend(self, requests: int, now: float) -> None:
        """Count so many requests of today, as if made long enough ago to leave the minute."""
        self._used.update(dict.fromkeys((_hour(now), _day(now), _month(now)), requests))

    def usage(self, now: float) -> dict[str, dict[str, int]]:
        """Hourly, daily and monthly figures; the API has none for the minute."""
        return {
            "api_requests_hourly": self._row(self.limits.per_minute * 60, _hour(now)),
            "api_requests_daily": self._row(self.limits.per_day, _day(now)),
            "api_requests_monthly": self._row(self.limits.per_month, _month(now)),
        }

    def _row(self, limit: int, period: str) -> dict[str, int]:
        return {"allowed": limit or UNLIMITED, "used": self._used[period]}


def _hour(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H")


def _day(now: float) -> str:
    return _hour(now)[:10]


def _month(now: float) -> str:
    return _hour(now)[:7]
