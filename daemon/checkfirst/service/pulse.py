"""Whether the line gets on: no batch may be in hand for ever.

A timer would only prove that the loop turns. This proves that files move, or that there are none.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from checkfirst.clock import Clock
from checkfirst.service.systemd import Systemd

SLOW_SECONDS = 120.0
"""Even on a slow disk few batches of the small take so long."""

TICKS = 3
"""So many signs of life within the time in which one is expected."""


class Pulse:
    """Batches that are in hand, and since when."""

    def __init__(self, clock: Clock) -> None:
        """Nothing is in hand."""
        self._clock = clock
        self._since: dict[int, float] = {}
        self._next = 0

    @contextmanager
    def beat(self) -> Iterator[None]:
        """A batch is in hand until the block is left."""
        number = self._next = self._next + 1
        self._since[number] = self._clock.monotonic()
        try:
            yield
        finally:
            del self._since[number]

    def longest(self) -> float:
        """Seconds for which the oldest batch has been in hand; 0 without any."""
        return self._clock.monotonic() - min(self._since.values(), default=self._clock.monotonic())

    def problems(self) -> list[str]:
        """That a batch takes very long, while it does."""
        return [_SLOW] if self.longest() > SLOW_SECONDS else []


_SLOW = (
    "some small files have been on their way for more than two minutes. See that all disks and "
    "network folders answer, those of the released and the quarantine folder too"
)


async def keep_watchdog(
    systemd: Systemd, pulse: Pulse, ask_store: Callable[[], Awaitable[object]], clock: Clock
) -> None:
    """Give signs of life while the loop turns, the store answers and the line gets on.

    A batch may be in hand for as long as systemd waits for a sign; then there are no more signs.
    """
    limit = systemd.watchdog_seconds
    if limit is None:
        raise ValueError("nobody waits for signs of life")
    while True:
        await ask_store()
        if pulse.longest() < limit:
            systemd.alive()
        await clock.sleep(limit / TICKS)
