"""Time as the simulated server sees it: handed in, so that tests can turn days and months.

The simulator shares no code with the program that it is used to test, hence a protocol of its
own. Anything with these three methods will do.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the simulator knows of time."""

    def now(self) -> float:
        """Seconds since the epoch: decides days, months and the dates in answers."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward: decides the minute and the length of an analysis."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back after so many monotonic seconds."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()  # noqa: TID251  (the server's clock is not the program's clock)

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Asyncio's sleep."""
        await asyncio.sleep(seconds)
