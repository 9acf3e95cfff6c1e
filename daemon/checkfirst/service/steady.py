"""The wall clock for deeds that cannot be undone, such as deleting what is old.

A clock that was set ahead, by a slip of the hand or a broken time server, is believed only when it
still says so at the next look; until then no more time has passed than the monotonic clock counts.
After a sleep of the machine that makes things a look younger than they are, which harms nobody.
"""

from checkfirst.clock import Clock


class Steady:
    """For one caller that looks now and then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: tuple[float, float] | None = None

    def now(self) -> float:
        """Seconds since the epoch, and never more than can be believed."""
        wall, monotonic = self._clock.now(), self._clock.monotonic()
        last, self._last = self._last, (wall, monotonic)
        return wall if last is None else min(wall, last[0] + monotonic - last[1])
