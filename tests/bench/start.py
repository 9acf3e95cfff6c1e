"""How soon the daemon watches, with a long past behind it."""

import statistics

from tests.bench.past import fill
from tests.bench.result import Result
from tests.bench.scene import Scene, scene

ROWS = (10_000,)
FULL_ROWS = (10_000, 1_000_000)
_ROUNDS = 3


def measure(sizes: tuple[int, ...]) -> list[Result]:
    return [_measure(rows) for rows in sizes]


def _measure(rows: int) -> Result:
    with scene() as empty, scene() as full:
        fill(full, rows)
        _start(full)  # a tenth of the rows has no folder any more, which is found out once
        return Result(
            f"from start to `watching` with {rows:,} rows in the journal",
            statistics.median(_start(full) for _ in range(_ROUNDS)),
            "s",
            statistics.median(_start(empty) for _ in range(_ROUNDS)),
            "the same with an empty journal",
            "under 1 s",
        )


def _start(place: Scene) -> float:
    with place.daemon() as daemon:
        return daemon.started_in
