"""SHA-256 of one big file and of many small ones, by the vault and by openssl."""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from checkfirst.vault.digest import digest_blocking
from checkfirst.vault.grip import grasp_blocking, ignore_lease_breaks
from tests.bench.result import NotMeasured, Result

_ROUNDS = 3
_BLOCK = 16 * 1024 * 1024
_SMALL_FILES, _SMALL_SIZE = 2_000, 64 * 1024


def measure(mib: int) -> list[Result | NotMeasured]:
    """In MB/s; the two take turns, and the file is in memory for both."""
    what = f"SHA-256 of a file of {mib:,} MiB"
    openssl = shutil.which("openssl")
    if openssl is None:
        return [NotMeasured(what, "there is no openssl to compare with")]
    ignore_lease_breaks()
    with tempfile.TemporaryDirectory(prefix="checkfirst-bench-") as folder:
        path = Path(folder) / "big"
        _fill(path, mib * 1024 * 1024)
        ours, theirs = [], []
        for _ in range(_ROUNDS + 1):
            theirs.append(_seconds(lambda: _openssl(openssl, path)))
            ours.append(_seconds(lambda: _ours(path)))
    megabytes = mib * 1024 * 1024 / 1e6
    return [
        *_many_small(openssl),
        Result(
            what,
            megabytes / statistics.median(ours[1:]),  # the first round is to warm up
            "MB/s",
            megabytes / statistics.median(theirs[1:]),
            "openssl dgst -sha256 on the same file, its start included",
            "at least 0.95 of openssl",
        ),
    ]


def _many_small(openssl: str) -> list[Result]:
    """As many files as fit on one command line, so that openssl starts once."""
    with tempfile.TemporaryDirectory(prefix="checkfirst-bench-") as folder:
        paths = [Path(folder) / str(number) for number in range(_SMALL_FILES)]
        for path in paths:
            path.write_bytes(os.urandom(_SMALL_SIZE))
        command = [openssl, "dgst", "-sha256", *map(str, paths)]
        ours, theirs = [], []
        for _ in range(_ROUNDS + 1):
            theirs.append(
                _seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
            )
            ours.append(_seconds(lambda: [_ours(path) for path in paths]))
    megabytes = _SMALL_FILES * _SMALL_SIZE / 1e6
    return [
        Result(
            f"SHA-256 of {_SMALL_FILES:,} files of 64 KiB, each opened under a lease",
            megabytes / statistics.median(ours[1:]),
            "MB/s",
            megabytes / statistics.median(theirs[1:]),
            "openssl dgst -sha256 on all of them at once, its start included",
            "at least 0.95 of openssl",
        )
    ]


def _fill(path: Path, size: int) -> None:
    block = os.urandom(_BLOCK)
    with path.open("wb") as file:
        for _ in range(size // _BLOCK):
            file.write(block)


def _seconds(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _openssl(openssl: str, path: Path) -> None:
    subprocess.run([openssl, "dgst", "-sha256", str(path)], check=True, stdout=subprocess.DEVNULL)


def _ours(path: Path) -> None:
    with grasp_blocking(os.fsencode(path), lease=True) as grip:
        digest_blocking(grip)
