"""The same burst through what a person would use instead: a script of their own, or ClamAV.

ClamAV runs with a database of one made-up signature, as its official one is not to be had without
a network; with that one it needs over a gigabyte of memory, and more time for each file.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tests.bench.result import NotMeasured, Result
from tests.bench.scene import Curve, Daemon, Scene, arrivals, scene

COUNT, FULL_COUNT = 10_000, 40_000
_QUIET_SECONDS = 3.0
_CLAMD = """\
LocalSocket {folder}/clamd.sock
DatabaseDirectory {folder}/signatures
PidFile {folder}/clamd.pid
LogFile {folder}/clamd.log
Foreground yes
MaxThreads 2
"""
_ON_ACCESS = """\
LogClean yes
OnAccessIncludePath {folder}/downloads
OnAccessExtraScanning yes
OnAccessPrevention no
OnAccessExcludeUname clamav
OnAccessMaxThreads 2
"""
"""Files that arrive are scanned, and nobody is kept waiting, as with the others."""
_NOBODYS = "CheckfirstBenchmark:0:*:436865636b4669727374206e65766572207365656e\n"


def measure(count: int) -> list[Result | NotMeasured]:
    return [*_script(count), *_script_asleep(count), *_clamd(count), *_clamonacc(count)]


def _script(count: int) -> list[Result]:
    with scene() as place:
        known = place.folder / "known"
        known.write_text("\n".join(sha256 for _, sha256 in place.make_files(count, 4096)))
        place.released.mkdir()
        with _running_script(place, known) as daemon:
            cpu = daemon.cpu_seconds()
            began = time.time()
            _drop_and_follow(place)
            curve = arrivals(place.released.iterdir(), began)
            cpu = daemon.cpu_seconds() - cpu
            memory = daemon.resident_mib()
        missed = count - int(curve[-1][1])
    return [
        Result(
            f"a script of thirty lines (watchdog, hashlib, shutil.move): {count:,} files",
            curve[-1][0],
            "s",
            0.0,
            "",
            "none: a peer",
            f"{cpu:.1f} s on a processor, {memory:.0f} MiB, {missed} files missed",
            "burst",
            curve,
        )
    ]


def _script_asleep(count: int) -> list[Result]:
    """The machine is busy with something else while the files arrive."""
    with scene() as place:
        known = place.folder / "known"
        count *= 4
        known.write_text("\n".join(sha256 for _, sha256 in place.make_files(count, 64)))
        place.released.mkdir()
        with _running_script(place, known) as daemon:
            os.kill(daemon.pid, signal.SIGSTOP)
            for path in sorted(place.ready.iterdir()):
                path.rename(place.downloads / path.name)
            os.kill(daemon.pid, signal.SIGCONT)
            moved = _follow(place, time.perf_counter())[-1][1]
    return [
        Result(
            f"the same script, stopped while {count:,} files arrive: files missed",
            count - moved,
            "files",
            0.0,
            "",
            "none: a peer",
        )
    ]


@contextmanager
def _running_script(place: Scene, known: Path) -> Iterator[Daemon]:
    script = Path(__file__).with_name("plain_script.py")
    command = [sys.executable, str(script), str(place.downloads), str(place.released), str(known)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.stdout.readline()
        yield Daemon(process.pid, 0.0)
        process.kill()


def _drop_and_follow(place: Scene, count: Callable[[], int] | None = None) -> Curve:
    began = time.perf_counter()
    for path in sorted(place.ready.iterdir()):
        path.rename(place.downloads / path.name)
    return _follow(place, began, count)


def _follow(place: Scene, began: float, count: Callable[[], int] | None = None) -> Curve:
    """How many were done by when, until nothing more is; `count`: else what was moved.

    Counting holds the peer up as it would us: here too it takes 5 % of a processor.
    """
    count = count or (lambda: len(os.listdir(place.released)))
    curve = [(0.0, 0.0)]
    while (asked := time.perf_counter()) - began - curve[-1][0] < _QUIET_SECONDS:
        moved = count()
        now = time.perf_counter()
        if moved > curve[-1][1]:
            curve.append((now - began, float(moved)))
        time.sleep(max(0.05, 20 * (now - asked)))
    return tuple(curve)


def _clamd(count: int) -> list[Result | NotMeasured]:
    what = f"clamd with clamdscan --fdpass --multiscan --move: {count:,} files"
    clamd = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
    scan = shutil.which("clamdscan")
    if clamd is None or scan is None:
        return [NotMeasured(what, "Debian's clamav-daemon and clamdscan are not installed")]
    with scene() as place:
        place.make_files(count, 4096)
        config = _configured(place.folder)
        with _serving(clamd, config) as process:
            daemon = Daemon(process.pid, 0.0)
            cpu, began = daemon.cpu_seconds(), time.perf_counter()
            command = [scan, "-c", str(config), "--fdpass", "--multiscan", "--quiet"]
            move = f"--move={place.folder / 'stopped'}"
            (place.folder / "stopped").mkdir()
            subprocess.run([*command, move, str(place.ready)], check=True)
            taken = time.perf_counter() - began
            cpu, memory = daemon.cpu_seconds() - cpu, daemon.resident_mib()
    note = f"{cpu:.1f} s on a processor in clamd, {memory:.0f} MiB; a database of one signature"
    curve = ((0.0, 0.0), (taken, float(count)))
    return [Result(what, taken, "s", 0.0, "", "none: a peer", note, "burst", curve)]


def _clamonacc(count: int) -> list[Result | NotMeasured]:
    """It moves only what it finds, so what clamd has scanned is counted, in clamd's own log."""
    what = f"clamonacc --fdpass: {count:,} files dropped at once, until all are scanned"
    clamd = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
    onacc = shutil.which("clamonacc") or shutil.which("clamonacc", path="/usr/sbin")
    if clamd is None or onacc is None or os.getuid() != 0:
        return [NotMeasured(what, "it needs Debian's clamav-daemon, and root for fanotify(7)")]
    with scene() as place:
        names = {str(place.downloads / path.name) for path, _ in place.make_files(count, 4096)}
        config = _configured(place.folder, _ON_ACCESS)
        told = place.folder / "told"
        command = [onacc, "-c", str(config), "--fdpass", "--foreground", f"--log={told}"]
        with (
            _serving(clamd, config) as server,
            subprocess.Popen(command, stdout=subprocess.DEVNULL) as process,
        ):
            _until(lambda: told.exists() and "extra scanning" in told.read_text(), "clamonacc")
            both = [Daemon(server.pid, 0.0), Daemon(process.pid, 0.0)]
            cpu = sum(each.cpu_seconds() for each in both)
            with (place.folder / "clamd.log").open(errors="replace") as log:
                curve = _drop_and_follow(place, _scanned(log, names))
            cpu = sum(each.cpu_seconds() for each in both) - cpu
            memory = sum(each.resident_mib() for each in both)
            process.terminate()
    missed = count - int(curve[-1][1])
    note = f"{cpu:.1f} s on a processor, {memory:.0f} MiB together, {missed} files missed"
    note += "; a database of one signature"
    return [Result(what, curve[-1][0], "s", 0.0, "", "none: a peer", note, "burst", curve)]


def _scanned(log: TextIO, names: set[str]) -> Callable[[], int]:
    """How many of them clamd has told of by then; reads what is new alone."""
    scanned: set[str] = set()
    begun = ""

    def count() -> int:
        nonlocal begun
        *lines, begun = (begun + log.read()).split("\n")
        told = (line.removesuffix(": OK") for line in lines if line.endswith(": OK"))
        scanned.update(names.intersection(line.rpartition(" -> ")[2] for line in told))
        return len(scanned)

    return count


@contextmanager
def _serving(clamd: str, config: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([clamd, "-c", str(config)], stdout=subprocess.DEVNULL) as process:
        _until((config.parent / "clamd.sock").exists, "clamd")
        yield process
        process.terminate()


def _configured(folder: Path, more: str = "") -> Path:
    signatures = folder / "signatures"
    signatures.mkdir()
    (signatures / "one.ndb").write_text(_NOBODYS)
    # As root clamd gives up its rights otherwise, and cannot read the folder then.
    extra = "User root\n" if os.getuid() == 0 else ""
    config = folder / "clamd.conf"
    config.write_text((_CLAMD + more).format(folder=folder) + extra)
    return config


def _until(ready: Callable[[], bool], who: str) -> None:
    began = time.perf_counter()
    while not ready():
        if time.perf_counter() - began > 60:
            raise TimeoutError(f"{who} does not listen")
        time.sleep(0.05)
