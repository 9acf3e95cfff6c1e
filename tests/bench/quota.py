"""How much of four requests a minute is used while files wait, as the server sees it."""

import statistics
import time

from checkfirst.simulator.behaviour import Latency
from checkfirst.simulator.known import clean
from checkfirst.simulator.requests import Request
from checkfirst.simulator.thread import Elsewhere, simulator_in_thread
from tests.bench.result import Result
from tests.bench.scene import scene

PER_WINDOW, WINDOW = 4, 60.0
WINDOWS, FULL_WINDOWS = 1, 5
_BACK = (0.05, 0.5)
_JITTER = Latency(there=(0.0, 0.3), back=_BACK, seed=1)


def measure(windows: int) -> list[Result]:
    with scene() as place, simulator_in_thread() as simulator:
        place.ask_at(simulator.url)
        simulator.behave(latency=_JITTER)
        files = place.make_files(PER_WINDOW * (windows + 2), 64)
        simulator.add(*(clean(path.read_bytes()) for path, _ in files))
        with place.daemon():
            for path, _ in files:
                path.rename(place.downloads / path.name)
            requests = _until(simulator, PER_WINDOW * windows + 1, windows)
        most = simulator.most_in_any_window(WINDOW)
    passed = requests[PER_WINDOW * windows].at - requests[0].at
    refused = sum(one.status == 429 for one in requests)
    answer = statistics.mean(_BACK)
    return [
        Result(
            f"requests sent with a backlog and jitter, of {PER_WINDOW} per (60 s + mean answer)",
            100 * windows * (WINDOW + answer) / passed,
            "%",
            100.0,
            "all that the window allows",
            "at least 98 %",
            f"over {windows} full windows; {refused} refused",
        ),
        Result(
            "most requests in any 60 s, as the server sees them",
            most,
            "requests",
            PER_WINDOW,
            "what the free key allows",
            f"never {PER_WINDOW + 1}",
        ),
    ]


def _until(simulator: Elsewhere, count: int, windows: int) -> list[Request]:
    began = time.perf_counter()
    while time.perf_counter() - began < windows * WINDOW * 1.5 + 30:
        requests = simulator.requests
        if len(requests) >= count:
            return requests
        time.sleep(0.2)
    raise TimeoutError(f"{len(simulator.requests)} requests of {count}")
