"""One file after another, each of which is remembered: from its appearance to its end."""

import fcntl
import hashlib
import os
import sqlite3
import statistics
import time
from pathlib import Path

from checkfirst.vault.grip import ignore_lease_breaks
from tests.bench.result import Result
from tests.bench.scene import SETTLE, Scene, scene

COUNT = 100
_COMMITS = 3  # the intent to hold, the decision, the end
_LONGEST = 10.0


def measure(count: int = COUNT) -> list[Result]:
    ignore_lease_breaks()
    with scene() as place:
        files = place.make_files(2 * count, 4096)
        place.remember([sha256 for _, sha256 in files[:count]])
        bare = _bare([path for path, _ in files[count:]], place)
        with place.daemon():
            times = sorted(_one(path, place) - SETTLE for path, _ in files[:count])
    limit = statistics.median(bare) * 1000
    limit_is = f"lease + hash + rename + chmod and {_COMMITS} bare commits, median"
    return [
        Result(
            "from sighting to outcome, remembered verdict, median",
            statistics.median(times) * 1000,
            "ms",
            limit,
            limit_is,
            "at most 20 ms",
            f"{count} files one after another; settle time taken off",
        ),
        Result(
            "from sighting to outcome, remembered verdict, 99th percentile",
            times[int(len(times) * 0.99) - 1] * 1000,
            "ms",
            limit,
            limit_is,
            "at most 100 ms",
        ),
    ]


def _one(path: Path, place: Scene) -> float:
    target = place.released / path.name
    began = time.perf_counter()
    os.rename(path, place.downloads / path.name)
    while not target.exists():
        if time.perf_counter() - began > _LONGEST:
            raise TimeoutError(f"{path.name} is not released after {_LONGEST:.0f} s")
        time.sleep(0.0005)
    return time.perf_counter() - began


def _bare(paths: list[Path], place: Scene) -> list[float]:
    connection = sqlite3.connect(place.folder / "bare.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE steps (text TEXT)")
    times = []
    for path in paths:
        began = time.perf_counter()
        for _ in range(_COMMITS):
            connection.execute("INSERT INTO steps VALUES ('a step')")
        with path.open("rb") as file:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            hashlib.sha256(file.read()).hexdigest()
            path.rename(place.folder / path.name)
            os.fchmod(file.fileno(), 0o644)
        times.append(time.perf_counter() - began)
    connection.close()
    return times
