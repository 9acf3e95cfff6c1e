"""Time, as something that is handed in. The only place that reads it."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the rest of the program knows of time."""

    def now(self) -> float:
        """Seconds since the epoch; may jump both ways."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back after so many monotonic seconds."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep as asyncio does."""
        import asyncio  # noqa: PLC0415  (whoever awaits has it; a short command never pays for it)

        await asyncio.sleep(seconds)


def iso(at: float | None) -> str | None:
    """ISO 8601 in UTC to the second, as JSON output and reports show times."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
