"""The wall clock for deeds that cannot be undone, such as deleting what is old.

A clock that was set ahead, by a slip of the hand or a broken time server, is believed only when it
still says so an hour after that was first seen; until then no more time has passed than the
monotonic clock counts. A sleep of the machine looks the same, and makes things an hour younger than
they are, which harms nobody. What the clock says at the beginning is believed.
"""

from checkfirst.clock import Clock

SLIP_SECONDS = 60.0
"""So far ahead a clock may be set at once, as time servers do, without being doubted."""

BELIEVED_SECONDS = 3600.0


class Steady:
    """One for the daemon's whole life, however often its parts are put together anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = clock.now() - clock.monotonic()
        """How far the wall clock that is believed is ahead of the monotonic one."""
        self._doubted_since: float | None = None

    def now(self) -> float:
        """Seconds since the epoch, and never more than can be believed."""
        monotonic = self._clock.monotonic()
        ahead = self._clock.now() - monotonic
        if ahead <= self._ahead + SLIP_SECONDS:
            self._ahead, self._doubted_since = ahead, None
        elif self._doubted_since is None:
            self._doubted_since = monotonic
        elif monotonic - self._doubted_since >= BELIEVED_SECONDS:
            self._ahead, self._doubted_since = ahead, None
        return monotonic + self._ahead
