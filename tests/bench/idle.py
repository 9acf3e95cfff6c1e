"""What the daemon costs while nothing happens."""

import subprocess
import sys
import time
from pathlib import Path

from tests.bench.result import Result
from tests.bench.scene import resident_mib, scene

SECONDS, FULL_SECONDS = 20.0, 300.0
_LIBRARIES = "aiohttp, aiosqlite, pydantic, watchdog.observers, ruamel.yaml, click"


def measure(seconds: float) -> list[Result]:
    with scene() as place, place.daemon() as daemon:
        time.sleep(2)
        before, began = daemon.cpu_seconds(), time.perf_counter()
        woken = _wake_ups(daemon.pid)
        time.sleep(seconds)
        woken = _wake_ups(daemon.pid) - woken
        passed = time.perf_counter() - began
        share = (daemon.cpu_seconds() - before) / passed * 100
        resident = daemon.resident_mib()
    return [
        Result(
            f"idle, over {seconds:.0f} s: share of one core",
            share,
            "%",
            0.2,
            "the goal itself, as a process that sleeps takes nothing",
            "under 0.2 %",
            f"counted in hundredths of a second; {woken / passed:.1f} wake-ups a second",
        ),
        Result(
            "idle: resident memory",
            resident,
            "MiB",
            _libraries_mib(),
            "a Python process that has only imported the same libraries",
            "under 64 MiB",
        ),
    ]


def _wake_ups(pid: int) -> int:
    """How often its threads have gone to sleep of themselves, and so been woken."""
    statuses = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    lines = [line for text in statuses for line in text.splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt"))


def _libraries_mib() -> float:
    script = f"import {_LIBRARIES}, sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        return resident_mib(process.pid)
