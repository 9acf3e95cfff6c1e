"""How soon the daemon watches, with a long past behind it."""

import asyncio
import statistics

from checkfirst.clock import SystemClock
from checkfirst.model import Arrival, State, VerdictKind
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from tests.bench.result import Result
from tests.bench.scene import Scene, scene

ROWS = 10_000
_ROUNDS = 3


def measure() -> list[Result]:
    with scene() as empty, scene() as full:
        _fill(full)
        return [
            Result(
                f"from start to `watching` with {ROWS:,} rows in the journal",
                statistics.median(_start(full) for _ in range(_ROUNDS)),
                "s",
                statistics.median(_start(empty) for _ in range(_ROUNDS)),
                "the same with an empty journal",
                "under 1 s",
            )
        ]


def _start(place: Scene) -> float:
    with place.daemon() as daemon:
        return daemon.started_in


def _fill(place: Scene) -> None:
    rows = [
        Arrival(
            id=0,
            state=State.RELEASED if number % 10 else State.QUARANTINED,
            root=bytes(place.downloads),
            origin=bytes(place.downloads) + b"/file %d" % number,
            sha256=f"{number:064x}",
            size=4096,
            verdict=VerdictKind.CLEAN if number % 10 else VerdictKind.MALICIOUS,
            destination=bytes(place.released) + b"/file %d" % number,
            arrived_at=SystemClock().now(),
            finished_at=SystemClock().now(),
        )
        for number in range(ROWS)
    ]

    async def fill() -> None:
        database = await Database.open(place.database, SystemClock())
        try:
            await Journal(database, "benchmark:0").adopt(rows)
        finally:
            await database.close()

    asyncio.run(fill())
