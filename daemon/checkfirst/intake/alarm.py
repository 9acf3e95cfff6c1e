"""A sleep that can be cut short: until a moment comes, or until somebody rings."""

import asyncio

from checkfirst.clock import Clock


class Alarm:
    """For one sleeper; any number may ring, on the loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the sleeper, or keep the next sleep from beginning."""
        self._rung.set()

    async def sleep_until(self, due: float | None) -> None:
        """Come back when the clock's monotonic time is `due`, or when it rings; None: only then."""
        if due is None:
            await self._rung.wait()
        elif (left := due - self._clock.monotonic()) > 0 and not self._rung.is_set():
            async with asyncio.TaskGroup() as group:
                sleeper = group.create_task(self._ring_after(left), name="alarm")
                await self._rung.wait()
                sleeper.cancel()
        self._rung.clear()

    async def _ring_after(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._rung.set()
