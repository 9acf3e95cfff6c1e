"""A journal with a long past: made here for the benchmarks that open one."""

import asyncio
import time

from checkfirst.clock import SystemClock
from checkfirst.model import Arrival, State, VerdictKind
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from tests.bench.scene import Scene

_AT_ONCE = 20_000


def fill(place: Scene, rows: int) -> None:
    """So many ended rows; every tenth lies in quarantine."""
    now = time.time()

    async def write() -> None:
        database = await Database.open(place.database, SystemClock())
        journal = Journal(database, "benchmark:0")
        try:
            for first in range(0, rows, _AT_ONCE):
                numbers = range(first, min(first + _AT_ONCE, rows))
                await journal.adopt([_row(place, number, now) for number in numbers])
        finally:
            await database.close()

    asyncio.run(write())


def _row(place: Scene, number: int, now: float) -> Arrival:
    bad = number % 10 == 0
    folder = place.quarantine if bad else place.released
    return Arrival(
        id=0,
        state=State.QUARANTINED if bad else State.RELEASED,
        root=bytes(place.downloads),
        origin=bytes(place.downloads) + b"/file %d" % number,
        sha256=sha256_of(number),
        size=4096,
        verdict=VerdictKind.MALICIOUS if bad else VerdictKind.CLEAN,
        source="virustotal",
        reason="9 of 60 engines call it malicious" if bad else "none of 60 engines found anything",
        destination=bytes(folder) + b"/file %d" % number,
        arrived_at=now - number,
        decided_at=now - number,
        finished_at=now - number,
    )


def sha256_of(number: int) -> str:
    """Spread over the index as real ones are."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" + f"{number:048x}"
