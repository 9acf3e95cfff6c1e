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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.result import NotMeasured, Result
from tests.bench.scene import Daemon, Scene, scene

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
_NOBODYS = "CheckfirstBenchmark:0:*:436865636b4669727374206e65766572207365656e\n"


def measure(count: int) -> list[Result | NotMeasured]:
    return [*_script(count), *_script_asleep(count), *_clamd(count)]


def _script(count: int) -> list[Result]:
    with scene() as place:
        known = place.folder / "known"
        known.write_text("\n".join(sha256 for _, sha256 in place.make_files(count, 4096)))
        place.released.mkdir()
        with _running_script(place, known) as daemon:
            cpu = daemon.cpu_seconds()
            curve = _drop_and_follow(place)
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


def _drop_and_follow(place: Scene) -> tuple[tuple[float, float], ...]:
    began = time.perf_counter()
    for path in sorted(place.ready.iterdir()):
        path.rename(place.downloads / path.name)
    return _follow(place, began)


def _follow(place: Scene, began: float) -> tuple[tuple[float, float], ...]:
    """How many were moved by when, until nothing moves any more."""
    curve = [(0.0, 0.0)]
    while time.perf_counter() - began - curve[-1][0] < _QUIET_SECONDS:
        moved = len(os.listdir(place.released))
        if moved > curve[-1][1]:
            curve.append((time.perf_counter() - began, float(moved)))
        time.sleep(0.05)
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
        with subprocess.Popen([clamd, "-c", str(config)], stdout=subprocess.DEVNULL) as process:
            _until_there(place.folder / "clamd.sock")
            daemon = Daemon(process.pid, 0.0)
            cpu, began = daemon.cpu_seconds(), time.perf_counter()
            command = [scan, "-c", str(config), "--fdpass", "--multiscan", "--quiet"]
            move = f"--move={place.folder / 'stopped'}"
            (place.folder / "stopped").mkdir()
            subprocess.run([*command, move, str(place.ready)], check=True)
            taken = time.perf_counter() - began
            cpu, memory = daemon.cpu_seconds() - cpu, daemon.resident_mib()
            process.terminate()
    note = f"{cpu:.1f} s on a processor in clamd, {memory:.0f} MiB; a database of one signature"
    curve = ((0.0, 0.0), (taken, float(count)))
    return [Result(what, taken, "s", 0.0, "", "none: a peer", note, "burst", curve)]


def _configured(folder: Path) -> Path:
    signatures = folder / "signatures"
    signatures.mkdir()
    (signatures / "one.ndb").write_text(_NOBODYS)
    # As root clamd gives up its rights otherwise, and cannot read the folder then.
    extra = "User root\n" if os.getuid() == 0 else ""
    config = folder / "clamd.conf"
    config.write_text(_CLAMD.format(folder=folder) + extra)
    return config


def _until_there(socket: Path) -> None:
    began = time.perf_counter()
    while not socket.exists():
        if time.perf_counter() - began > 60:
            raise TimeoutError("clamd does not listen")
        time.sleep(0.05)
