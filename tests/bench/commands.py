"""The short commands as whole processes."""

import statistics
import subprocess
import sys
import time

from tests.bench.result import NotMeasured, Result
from tests.bench.scene import Scene, scene

_ROUNDS = 10
_FINE = {"--version": {0}, "status": {0, 1, 3}}


def measure() -> list[Result | NotMeasured]:
    with scene() as place, place.daemon():
        return [_command(place, name) for name in _FINE]


def _command(place: Scene, name: str) -> Result | NotMeasured:
    what = f"`checkfirst {name}`, the whole process"
    command = place.command(name)
    done = subprocess.run(command, env=place.environment, capture_output=True, text=True)  # noqa: PLW1510
    if done.returncode not in _FINE[name] or "No such command" in done.stderr:
        return NotMeasured(what, f"it ends with {done.returncode}: {done.stderr.strip()}")
    return Result(
        what,
        _median(command, place),
        "s",
        _median([sys.executable, "-c", "import click"], place),
        "python -c 'import click'",
        "under 0.25 s",
    )


def _median(command: list[str], place: Scene) -> float:
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        subprocess.run(command, env=place.environment, capture_output=True)  # noqa: PLW1510
        times.append(time.perf_counter() - began)
    return statistics.median(times)
