"""What the daemon costs while nothing happens."""

import subprocess
import sys
import time

from tests.bench.result import Result
from tests.bench.scene import resident_mib, scene

SECONDS = 20.0
_LIBRARIES = "aiohttp, aiosqlite, pydantic, watchdog.observers, ruamel.yaml, click"


def measure() -> list[Result]:
    with scene() as place, place.daemon() as daemon:
        time.sleep(2)
        before, began = daemon.cpu_seconds(), time.perf_counter()
        time.sleep(SECONDS)
        passed = time.perf_counter() - began
        share = (daemon.cpu_seconds() - before) / passed * 100
        resident = daemon.resident_mib()
    return [
        Result(
            f"idle, over {SECONDS:.0f} s: share of one core",
            share,
            "%",
            0.2,
            "the goal itself, as a process that sleeps takes nothing",
            "under 0.2 %",
            "counted by the kernel in hundredths of a second",
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


def _libraries_mib() -> float:
    script = f"import {_LIBRARIES}, sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        return resident_mib(process.pid)
