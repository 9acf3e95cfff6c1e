"""The second look: whether there is quota to spare for it, and what its answer means. Pure.

Files that wait always go first, and those that will come want their share: the second look may use
half of the minute's requests, half of the day's, and half of the part of the month's that the month
has come to by the end of today, whoever has used them. With the public key that is two a minute and
250 a day: an evening's downloads find at least 250 requests left, whatever is looked at again.
"""

from datetime import UTC, datetime
from enum import StrEnum

from checkfirst.model import Arrival, State, VerdictKind
from checkfirst.policy.quota import Limits, Slot, Used, next_day, next_month, wait


def spare(limits: Limits, used: Used, now: float) -> Slot:
    """Grant a request for the second look, or say which limit leaves nothing to spare.

    One a minute is allowed even where half of the minute's limit is none.
    """
    month = _until_tonight(limits.per_month, now) // 2
    if limits.per_month and used.month >= month:
        return Slot(granted=False, until=next_day(now), limit="month")
    if limits.per_day and used.day >= limits.per_day // 2:
        return Slot(granted=False, until=next_day(now), limit="day")
    minute = max(limits.per_minute // 2, 1) if limits.per_minute else 0
    return wait(Limits(minute, limits.per_day, limits.per_month), used, now)


class Conclusion(StrEnum):
    """What an answer leads to for one file that has come to its end."""

    NOTHING = "nothing"
    TAKE_BACK = "take-back"
    """It was let go and is malicious."""
    CLEARED = "cleared"
    """It was stopped only because nobody knew it, and is clean."""
    CONFIRMED = "confirmed"
    """It was stopped only because nobody knew it, and rightly."""


def conclude(file: Arrival, now_said: VerdictKind) -> Conclusion:
    """Compare where a file is with what is said of it now."""
    stopped_as_unknown = file.state is State.QUARANTINED and file.verdict is VerdictKind.UNKNOWN
    match now_said:
        case VerdictKind.MALICIOUS if file.state in {State.RELEASED, State.RESTORED}:
            return Conclusion.TAKE_BACK
        case VerdictKind.MALICIOUS if stopped_as_unknown:
            return Conclusion.CONFIRMED
        case VerdictKind.CLEAN if stopped_as_unknown:
            return Conclusion.CLEARED
        case _:
            return Conclusion.NOTHING


def is_past(file: Arrival, span: float, now: float) -> bool:
    """Whether a file has been at its end for longer than it is looked at again."""
    return (file.finished_at or 0.0) <= now - span


def _until_tonight(per_month: int, now: float) -> int:
    """The part of a month's requests that is due by the end of this UTC day."""
    days = (next_month(now) - next_day(now)) / 86_400
    today = datetime.fromtimestamp(now, UTC).day
    return int(per_month * today / (today + days))
