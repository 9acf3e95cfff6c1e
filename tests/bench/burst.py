"""Many small files at once, all of which can be judged on this machine."""

import fcntl
import hashlib
import os
import statistics
import time
from pathlib import Path

from checkfirst.vault.grip import ignore_lease_breaks
from tests.bench.result import Result
from tests.bench.scene import SETTLE, Curve, Daemon, Scene, arrivals, scene

COUNTS = (10_000,)
FULL_COUNTS = (10_000, 40_000, 100_000)
SIZE = 4096
_ROUNDS = 2  # before, and as many after
_LONGEST = 300.0


def measure(counts: tuple[int, ...]) -> list[Result]:
    ignore_lease_breaks()
    return [result for count in counts for result in _measure(count)]


def _measure(count: int) -> list[Result]:
    with scene() as place:
        files = place.make_files(count, SIZE)
        half = count // 2
        place.allow([sha256 for _, sha256 in files[:half]])
        place.remember([sha256 for _, sha256 in files[half:]])
        bare = [_bare_round(place.ready) for _ in range(_ROUNDS)]
        with place.daemon() as daemon:
            before, cpu = daemon.resident_mib(), daemon.cpu_seconds()
            curve, peak = _through_the_daemon(place, daemon, count)
            cpu = daemon.cpu_seconds() - cpu
        bare += [_bare_round(place.released) for _ in range(_ROUNDS)]
        contents = {hashlib.sha256(path.read_bytes()).hexdigest() for path in _ended(place)}
    taken = curve[-1][0] - SETTLE
    lost = len({sha256 for _, sha256 in files} - contents)
    note = (
        f"{taken / count * 1e6:.0f} µs a file, {cpu / count * 1e6:.0f} of them on a processor; "
        f"settle time taken off, the drop itself included; {lost} lost"
    )
    return [
        Result(
            f"{count:,} files of 4 KiB dropped at once, until all are released",
            taken,
            "s",
            statistics.median(bare),
            "a bare loop of lease + hash + rename + chmod over the same files",
            "at most 6 times the bare loop",
            note,
            "burst",
            curve,
        ),
        Result(
            f"{count:,} files dropped at once: more memory at the height of it",
            peak - before,
            "MiB",
            before,
            "resident before",
            "bounded",
            f"{max(peak - before, 0) * 1024 * 1024 / count:,.0f} bytes a file, those of a second "
            "process among them",
        ),
    ]


def _ended(place: Scene) -> list[Path]:
    return [path for path in place.released.iterdir() if path.name.startswith("file ")]


def _through_the_daemon(place: Scene, daemon: Daemon, count: int) -> tuple[Curve, float]:
    """How many were released by when, and the most memory seen.

    Looking how far it is takes the folder's lock and a processor for up to some 50 ms: it is done
    rarely enough to take 5 % of one. When each file arrived is read off the files afterwards.
    """
    names = sorted(os.listdir(place.ready))
    began = time.time()
    for name in names:
        os.rename(place.ready / name, place.downloads / name)
    peak = 0.0
    released = 0
    while released < count:
        asked = time.time()
        released = sum(name.startswith("file ") for name in os.listdir(place.released))
        peak = max(peak, daemon.resident_mib())
        now = time.time()
        if now - began > _LONGEST:
            raise TimeoutError(f"{released} of {count} after {_LONGEST:.0f} s")
        time.sleep(max(0.05, 20 * (now - asked)))
    return arrivals(_ended(place), began), peak


def _bare_round(folder: Path) -> float:
    """There and back: the time of the way there, as the daemon goes only that way."""
    names = sorted(name for name in os.listdir(folder) if name.startswith("file "))
    other = folder.with_name("other")
    other.mkdir(exist_ok=True)
    taken = _bare_loop(folder, other, names)
    for name in names:
        os.rename(other / name, folder / name)
    return taken


def _bare_loop(source: Path, target: Path, names: list[str]) -> float:
    from_folder, to_folder = os.open(source, os.O_RDONLY), os.open(target, os.O_RDONLY)
    began = time.perf_counter()
    for name in names:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=from_folder)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        hashlib.sha256(os.read(descriptor, SIZE + 1)).hexdigest()
        os.rename(name, name, src_dir_fd=from_folder, dst_dir_fd=to_folder)
        os.fchmod(descriptor, 0o644)
        os.close(descriptor)
    taken = time.perf_counter() - began
    os.close(from_folder)
    os.close(to_folder)
    return taken
