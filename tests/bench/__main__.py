"""`make bench`: real figures, each beside its limit, measured in the same run.

Nothing here fails for being slow: figures are for reading, and machines differ.
"""

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

from tests.bench import (
    burst,
    commands,
    digest,
    idle,
    known_good,
    latency,
    peers,
    plot,
    quota,
    start,
    trace,
    waiting,
)
from tests.bench.result import NotMeasured, Result, as_json, table

BENCHMARKS = {
    "burst": lambda full: burst.measure(burst.FULL_COUNTS if full else burst.COUNTS),
    "latency": lambda full: latency.measure(latency.FULL_GIB if full else latency.GIB),
    "waiting": lambda full: waiting.measure(waiting.FULL_COUNT if full else waiting.COUNT),
    "digest": lambda full: digest.measure(1024 if full else 256),
    "start": lambda full: start.measure(start.FULL_ROWS if full else start.ROWS),
    "commands": lambda full: commands.measure(commands.FULL_ROWS if full else commands.ROWS),
    "idle": lambda full: idle.measure(idle.FULL_SECONDS if full else idle.SECONDS),
    "quota": lambda full: quota.measure(quota.FULL_WINDOWS if full else quota.WINDOWS),
    "trace": lambda _: trace.measure(),
    "known-good": lambda full: known_good.measure(
        known_good.FULL_COUNT if full else known_good.COUNT
    ),
    "known-good-30": lambda _: known_good.measure(known_good.MOST_COUNT),
    "peers": lambda full: peers.measure(peers.FULL_COUNT if full else peers.COUNT),
}
_ONLY_FULL = {"waiting", "known-good-30", "peers"}
"""Thirty million hashes take minutes, and four gigabytes of scratch space."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the curves there, as SVG")
    parser.add_argument("--full", action="store_true", help="all of it: twenty minutes")
    chosen = parser.parse_args()
    if unknown := set(chosen.only) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    spared = frozenset() if chosen.full else _ONLY_FULL
    names = chosen.only or [name for name in BENCHMARKS if name not in spared]
    results: list[Result | NotMeasured] = []
    for name in names:
        print(f"{name} …", file=sys.stderr)
        try:
            results += BENCHMARKS[name](chosen.full)
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            results.append(NotMeasured(name, f"it failed: {error}"))  # the others still count
    print(f"{_machine()}; load at the end {os.getloadavg()[0]:.1f}: beside others figures suffer\n")
    print(table(results))
    if chosen.json:
        chosen.json.write_text(as_json(results))
    if chosen.plot:
        chosen.plot.write_text(plot.svg([one for one in results if isinstance(one, Result)]))


def _machine() -> str:
    model = "an unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    system, python = platform.release(), platform.python_version()
    return f"{os.cpu_count()} of {model}, Linux {system}, Python {python}"


main()
