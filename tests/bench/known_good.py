"""The known-good list: how long an import takes and what it needs, and how fast it answers."""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from checkfirst.settings.places import KNOWN_GOOD
from checkfirst.sources.knowngood.reading import KnownGoodList
from tests.bench.result import NotMeasured, Result

COUNT, FULL_COUNT = 500_000, 5_000_000
MOST_COUNT = 30_000_000
"""Minutes, and four gigabytes of scratch space: only with FULL=1, or by name."""
_ASKED = 200_000
_AT_ONCE = 100_000


def measure(count: int) -> list[Result | NotMeasured]:
    with tempfile.TemporaryDirectory(prefix="checkfirst-bench-") as name:
        folder = Path(name)
        text = folder / "hashes.txt"
        listed = _write(text, count)
        took, peak = _import(folder, text)
        results = [*_imported(folder, text, count, took, peak)]
        text.unlink()
        results += _asked(folder / KNOWN_GOOD, count, listed)
    return results


def _write(path: Path, count: int) -> list[bytes]:
    """Random hashes, one on each line; some of them come back."""
    some: list[bytes] = []
    with path.open("wb") as file:
        for first in range(0, count, _AT_ONCE):
            many = min(_AT_ONCE, count - first)
            raw = os.urandom(32 * many)
            file.write(raw.hex("\n", 32).encode() + b"\n")
            step = max(1, count // _ASKED)
            some += [raw[32 * at : 32 * at + 32] for at in range(0, many, step)]
    return some


def _import(folder: Path, text: Path) -> tuple[float, float]:
    """Seconds, and the peak of the process's memory in MiB."""
    (folder / "settings.yaml").write_text("state: .\nwatch: [downloads]\n")
    command = [sys.executable, "-m", "checkfirst", "--settings", str(folder / "settings.yaml")]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *command, "known-good", "import", str(text)],
        stdout=subprocess.PIPE,
        check=True,
    )
    return time.perf_counter() - began, int(done.stdout) / 1024


_PEAK = """\
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""A program's most memory, in KiB. What starts it is small: the kernel counts as the program's own
what the process had that it was forked from."""


def _imported(
    folder: Path, text: Path, count: int, took: float, peak: float
) -> Iterable[Result | NotMeasured]:
    size = (folder / KNOWN_GOOD).stat().st_size
    what = f"known-good: import of {count:,} hashes"
    if shutil.which("sort"):
        environ = {**os.environ, "LC_ALL": "C"}
        command = ["sort", "-u", "-T", str(folder), "-o", str(folder / "sorted"), str(text)]
        began = time.perf_counter()
        subprocess.run(command, check=True, env=environ)
        sort = time.perf_counter() - began
        (folder / "sorted").unlink()
        yield Result(what, took, "s", sort, "sort -u of the same text", "about as long")
    else:
        yield NotMeasured(what, "there is no sort to compare with")
    yield Result(
        f"{what}, the most memory it has", peak, "MiB", 300, "the goal itself", "under 300 MiB"
    )
    yield Result(
        f"known-good: {count:,} hashes on the disk",
        size / count,
        "bytes each",
        20,
        "the goal itself, once the tables of half a megabyte weigh little",
        "at most 20 bytes",
    )


def _asked(path: Path, count: int, listed: list[bytes]) -> Iterable[Result]:
    rng = random.Random(1)
    rng.shuffle(listed)
    others = [hashlib.sha256(each).digest() for each in listed]
    with KnownGoodList.open_blocking(path) as found:
        hits = _speed(found, listed, expected=True)
        misses = _speed(found, others, expected=False)
        bare = _bare(path, found.facts.size, len(listed), max(1, count // 65_536) * 18)
    for kind, speed in (("that are on it", hits), ("that are not", misses)):
        yield Result(
            f"known-good: questions about hashes {kind}, of {count:,}",
            speed,
            "a second",
            bare,
            "as many bare preads of the same size from the same file",
            "at least 50,000 a second",
            f"{len(listed):,} asked, every answer was right",
        )
    yield Result(
        f"known-good: more resident memory with {count:,} hashes open",
        _more_resident(path),
        "MiB",
        50,
        "the goal itself",
        "under 50 MiB",
        f"in a process of its own, after {_ASKED:,} questions",
    )


_RESIDENT = f"""\
import os, sys
from pathlib import Path
from checkfirst.sources.knowngood.reading import KnownGoodList
from tests.bench.scene import resident_mib
before = resident_mib(os.getpid())
found = KnownGoodList.open_blocking(Path(sys.argv[1]))
for _ in range({_ASKED}):
    found.has_blocking(os.urandom(32))
print(resident_mib(os.getpid()) - before)
"""


def _more_resident(path: Path) -> float:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [".", *sys.path]))}
    done = subprocess.run(
        [sys.executable, "-c", _RESIDENT, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env=environ,
    )
    return float(done.stdout)


def _speed(found: KnownGoodList, digests: list[bytes], *, expected: bool) -> float:
    began = time.perf_counter()
    right = sum(found.has_blocking(digest) is expected for digest in digests)
    took = time.perf_counter() - began
    if right != len(digests):
        raise AssertionError(f"{len(digests) - right} of {len(digests)} answers are wrong")
    return len(digests) / took


def _bare(path: Path, size: int, times: int, length: int) -> float:
    places = [random.Random(2).randrange(size) for _ in range(times)]
    descriptor = os.open(path, os.O_RDONLY)
    try:
        began = time.perf_counter()
        for place in places:
            os.pread(descriptor, length, place)
        return times / (time.perf_counter() - began)
    finally:
        os.close(descriptor)
