"""`make bench`: real figures, each beside its limit, measured in the same run.

Nothing here fails for being slow: figures are for reading, and machines differ.
"""

import argparse
import os
import sys
from pathlib import Path

from tests.bench import burst, commands, digest, idle, latency, start
from tests.bench.result import NotMeasured, Result, as_json, table

_SHORT_MIB, _LONG_MIB = 256, 1024

BENCHMARKS = {
    "burst": lambda _: burst.measure(),
    "digest": lambda chosen: digest.measure(_LONG_MIB if chosen.long else _SHORT_MIB),
    "latency": lambda _: latency.measure(),
    "start": lambda _: start.measure(),
    "commands": lambda _: commands.measure(),
    "idle": lambda _: idle.measure(),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--long", action="store_true", help="hash 1 GiB in place of 256 MiB")
    chosen = parser.parse_args()
    if unknown := set(chosen.only) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    results: list[Result | NotMeasured] = []
    for name in chosen.only or BENCHMARKS:
        print(f"{name} …", file=sys.stderr)
        results += BENCHMARKS[name](chosen)
    load = os.getloadavg()[0]
    print(
        f"{os.cpu_count()} processors, load at the end {load:.1f}: beside others figures suffer\n"
    )
    print(table(results))
    if chosen.json:
        chosen.json.write_text(as_json(results))


main()
