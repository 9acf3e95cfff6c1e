"""Ten thousand small files at once, all of which can be judged on this machine."""

import fcntl
import hashlib
import os
import statistics
import time
from pathlib import Path

from checkfirst.vault.grip import ignore_lease_breaks
from tests.bench.result import Result
from tests.bench.scene import SETTLE, scene

COUNT = 10_000
SIZE = 4096
_ROUNDS = 2  # before, and as many after
_LONGEST = 120.0


def measure(count: int = COUNT) -> list[Result]:
    ignore_lease_breaks()
    with scene() as place:
        files = place.make_files(count, SIZE)
        half = count // 2
        place.allow([sha256 for _, sha256 in files[:half]])
        place.remember([sha256 for _, sha256 in files[half:]])
        bare = [_bare_round(place.ready) for _ in range(_ROUNDS)]
        with place.daemon() as daemon:
            cpu = daemon.cpu_seconds()
            taken = _through_the_daemon(place.ready, place.downloads, place.released, count)
            cpu = daemon.cpu_seconds() - cpu
        bare += [_bare_round(place.released) for _ in range(_ROUNDS)]
    return [
        Result(
            f"{count:,} files of 4 KiB dropped at once, until all are released",
            taken - SETTLE,
            "s",
            statistics.median(bare),
            "a bare loop of lease + hash + rename + chmod over the same files",
            "at most 6 times the bare loop",
            f"{(taken - SETTLE) / count * 1e6:.0f} µs a file, {cpu / count * 1e6:.0f} of them on a"
            " processor; settle time taken off, the drop itself included",
        )
    ]


def _through_the_daemon(ready: Path, downloads: Path, released: Path, count: int) -> float:
    names = sorted(os.listdir(ready))
    began = time.perf_counter()
    for name in names:
        os.rename(ready / name, downloads / name)
    while sum(name.startswith("file ") for name in os.listdir(released)) < count:
        if time.perf_counter() - began > _LONGEST:
            raise TimeoutError(f"{len(os.listdir(released))} of {count} after {_LONGEST:.0f} s")
        time.sleep(0.05)
    return time.perf_counter() - began


def _bare_round(folder: Path) -> float:
    """There and back: the time of the way there, as the daemon goes only that way."""
    names = sorted(os.listdir(folder))
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
