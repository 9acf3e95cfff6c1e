"""The short commands as whole processes, beside a running daemon with a long past."""

import os
import statistics
import subprocess
import sys
import time

from tests.bench.past import fill, sha256_of
from tests.bench.result import NotMeasured, Result
from tests.bench.scene import Scene, scene

ROWS, FULL_ROWS = 100_000, 1_000_000
_ROUNDS = 10
_DEGRADED = 1  # the folders of the made-up past are not there


def measure(rows: int) -> list[Result | NotMeasured]:
    with scene() as place:
        fill(place, rows)
        a_hash = sha256_of(rows // 3)
        commands = {
            "--version": ["--version"],
            "status": ["status"],
            "history --limit 20": ["history", "--limit", "20"],
            "why SHA256": ["why", a_hash],
            "quarantine list": ["quarantine", "list", "--json"],
        }
        with place.daemon():
            bare = _median([sys.executable, "-c", "import click"], place.environment)
            results = [_command(place, what, words) for what, words in commands.items()]
            results.append(_completion(place))
    return [
        Result(
            f"`checkfirst {name}`, {rows:,} rows in the journal",
            seconds,
            "s",
            bare,
            "python -c 'import click'",
            "under 0.25 s" if name != "quarantine list" else "none: it prints a tenth of the rows",
        )
        if isinstance(seconds, float)
        else seconds
        for name, seconds in results
    ]


def _command(place: Scene, name: str, words: list[str]):
    command = place.command(*words)
    done = subprocess.run(command, env=place.environment, capture_output=True, check=False)
    if done.returncode not in {0, _DEGRADED} or not done.stdout:
        why = f"it ends with {done.returncode}: {done.stderr.decode().strip()}"
        return name, NotMeasured(f"`checkfirst {name}`", why)
    return name, _median(command, place.environment)


def _completion(place: Scene):
    """What a shell runs when the tabulator is pressed."""
    asked = {"_CHECKFIRST_COMPLETE": "bash_complete", "COMP_WORDS": "checkfirst qu"}
    environment = {**place.environment, **asked, "COMP_CWORD": "1", "PATH": os.environ["PATH"]}
    call = "from checkfirst.cli.main import entry; import sys; sys.argv[0] = 'checkfirst'; entry()"
    return "TAB (completion)", _median([sys.executable, "-c", call], environment)


def _median(command: list[str], environment: dict[str, str]) -> float:
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        subprocess.run(command, env=environment, capture_output=True, check=False)
        times.append(time.perf_counter() - began)
    return statistics.median(times)
