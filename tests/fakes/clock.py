"""A clock that moves only when it is told to."""

import asyncio
import heapq
import itertools


class FakeClock:
    """Implements `checkfirst.clock.Clock`; `advance` wakes sleepers in order of their due time."""

    def __init__(self, now: float = 1_764_000_000.0) -> None:
        self._now = now
        self._monotonic = 1_000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._order), future))
        await future

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, as a person or NTP does."""
        self._now += seconds

    @property
    def next_due(self) -> float | None:
        """Seconds until the first sleeper wakes."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] - self._monotonic if self._sleepers else None

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking each sleeper at its own moment and letting it run."""
        end = self._monotonic + seconds
        await settle_loop()
        while (due := self.next_due) is not None and self._monotonic + due <= end:
            _, _, future = heapq.heappop(self._sleepers)
            self._now += due
            self._monotonic += due
            future.set_result(None)
            await settle_loop()
        self._now += end - self._monotonic
        self._monotonic = end
        await settle_loop()


async def settle_loop(turns: int = 20) -> None:
    """Give every ready task a few turns of the event loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
