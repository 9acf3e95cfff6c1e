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
GIB, FULL_GIB = 1, 4
_COMMITS = 3  # the intent to hold, the decision, the end
_LONGEST = 10.0


def measure(gib: int) -> list[Result]:
    ignore_lease_breaks()
    with scene() as place:
        files = place.make_files(3 * COUNT, 4096)
        place.remember([sha256 for _, sha256 in files[: 2 * COUNT]])
        bare = statistics.median(_bare([path for path, _ in files[2 * COUNT :]], place)) * 1000
        with place.daemon():
            alone = [_one(path, place) - SETTLE for path, _ in files[:COUNT]]
            beside = []
            for number, (path, _) in enumerate(files[COUNT : 2 * COUNT]):
                if number % 10 == 0:  # hashed for about as long as ten files take
                    _drop_big(place, number, gib)
                beside.append(_one(path, place) - SETTLE)
    return [
        *_results(alone, bare, "alone"),
        *_results(beside, bare, f"while files of {gib} GiB are hashed"),
    ]


def _results(times: list[float], bare: float, how: str) -> list[Result]:
    times = sorted(each * 1000 for each in times)
    limit_is = f"lease + hash + rename + chmod and {_COMMITS} bare commits, median"
    name = f"from sighting to outcome, remembered verdict, {how}"
    return [
        Result(
            f"{name}: median",
            statistics.median(times),
            "ms",
            bare,
            limit_is,
            "at most 20 ms",
            f"{len(times)} files one after another; settle time taken off",
            "latency",
            tuple((100 * (n + 1) / len(times), each) for n, each in enumerate(times)),
        ),
        Result(
            f"{name}: 99th percentile",
            times[int(len(times) * 0.99) - 1],
            "ms",
            bare,
            limit_is,
            "at most 100 ms",
        ),
    ]


def _drop_big(place: Scene, number: int, gib: int) -> None:
    """A sparse file, read at the speed of memory; nobody knows it, so it stays held."""
    path = place.ready / f"big {number}.bin"
    with path.open("wb") as file:
        file.write(b"%d" % number)
        file.truncate(gib * 1024**3)
    path.rename(place.downloads / path.name)


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
