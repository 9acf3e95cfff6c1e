"""What goes on and on is told once, and then ever more seldom, with how long it has lasted."""

from dataclasses import dataclass

from checkfirst.clock import Clock
from checkfirst.policy.retry import doubling

FIRST_SECONDS = 60.0
LAST_SECONDS = 3600.0
"""Between one telling and the next: doubling from the one to the other."""
OVER_SECONDS = 300.0
"""Trouble that has not been met for so long is over; when it comes again, that is news."""

_MINUTE, _HOUR = 60.0, 3600.0


@dataclass(slots=True)
class _Trouble:
    began: float
    met: float
    told: float
    times: int = 1


class Reminders:
    """Each trouble with when it began, and when it was told last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._troubles: dict[str, _Trouble] = {}

    def met(self, trouble: str) -> str | None:
        """What to add when it is to be told now ("" for the first time); None when it is not."""
        now = self._clock.monotonic()
        for each in [e for e, known in self._troubles.items() if now - known.met > OVER_SECONDS]:
            del self._troubles[each]
        known = self._troubles.get(trouble)
        if known is None:
            self._troubles[trouble] = _Trouble(began=now, met=now, told=now)
            return ""
        known.met = now
        if now - known.told < doubling(known.times - 1, FIRST_SECONDS, LAST_SECONDS):
            return None
        known.told = now
        known.times += 1
        return f" (for {_in_words(now - known.began)} now)"


def _in_words(seconds: float) -> str:
    if seconds < 2 * _HOUR:
        minutes = round(seconds / _MINUTE)
        return f"{minutes} minute{'s' if minutes > 1 else ''}"
    return f"{round(seconds / _HOUR)} hours"
