"""What each file costs that waits for an answer which does not come."""

import json
import subprocess
import time

from tests.bench.result import Result
from tests.bench.scene import Scene, resident_mib, scene

COUNT, FULL_COUNT = 5_000, 20_000
_LONGEST = 300.0


def measure(count: int) -> list[Result]:
    with scene() as place:
        place.make_files(count, 512)
        with place.daemon() as daemon:
            before = resident_mib(daemon.pid)
            for path in sorted(place.ready.iterdir()):
                path.rename(place.downloads / path.name)
            _until_waiting(place, count)
            after = resident_mib(daemon.pid)
    return [
        Result(
            f"{count:,} files wait for VirusTotal: memory for each",
            (after - before) * 1024 * 1024 / count,
            "bytes",
            before * 1024 * 1024 / count,
            "the daemon before they came, shared among as many",
            "bounded",
        )
    ]


def _until_waiting(place: Scene, count: int) -> None:
    began = time.perf_counter()
    while time.perf_counter() - began < _LONGEST:
        done = subprocess.run(
            place.command("status", "--json"),
            env=place.environment,
            capture_output=True,
            check=False,
        )
        if json.loads(done.stdout)["counts"]["waiting"] >= count:
            return
        time.sleep(0.5)
    raise TimeoutError(f"not all of {count} wait after {_LONGEST:.0f} s")
