"""How much of the quota is used: the queries that the ledger and the read-only commands share."""

from dataclasses import dataclass

from checkfirst.policy import quota


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests that count now."""

    minute: int
    day: int
    month: int


DAY = "SELECT coalesce(sum(used), 0) FROM quota_days WHERE day GLOB ?"
"""Takes `YYYY-MM-DD`, or `YYYY-MM-*` for a month."""

RECENT = (
    "SELECT id, coalesce(answered_at, presumed_answered_at) FROM requests"
    " WHERE coalesce(answered_at, presumed_answered_at) > ?"
)
"""Takes the moment since when answers count; gives when each arrived, or must have."""


def month_of(now: float) -> str:
    """The pattern of a UTC month for `DAY`."""
    return f"{quota.day_of(now)[:7]}-*"
