"""Work that is to be looked at again at a certain moment: one heap, one task for all of it."""

import heapq
from collections.abc import Awaitable, Callable

from checkfirst.clock import Clock
from checkfirst.intake.alarm import Alarm


class Later:
    """Ids of arrivals with the moment at which each is handed back."""

    def __init__(self, clock: Clock, again: Callable[[list[int]], Awaitable[None]]) -> None:
        """`again` gets those whose moment has come."""
        self._clock = clock
        self._again = again
        self._alarm = Alarm(clock)
        self._due: list[tuple[float, int]] = []

    def put(self, number: int, seconds: float) -> None:
        """Hand this one back after so many seconds."""
        heapq.heappush(self._due, (self._clock.monotonic() + seconds, number))
        self._alarm.ring()

    async def run(self) -> None:
        """Hand back until cancelled. What could not be handed back is, when this runs again."""
        while True:
            await self._alarm.sleep_until(self._due[0][0] if self._due else None)
            now = self._clock.monotonic()
            due: set[int] = set()
            while self._due and self._due[0][0] <= now:
                due.add(heapq.heappop(self._due)[1])
            if not due:
                continue
            try:
                await self._again(sorted(due))
            except Exception:
                for number in due:
                    self.put(number, 0.0)
                raise
