"""A simulator in a thread of its own, for callers without a loop: tests that start programs."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from checkfirst.simulator.known import KnownFile
from checkfirst.simulator.plan import Fault
from checkfirst.simulator.requests import Request
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.state import Upload

T = TypeVar("T")
START_SECONDS = 10.0
Loop = asyncio.AbstractEventLoop


class Elsewhere:
    """A simulator that serves in another thread; every call is safe from any thread but that."""

    def __init__(self, simulator: Simulator, loop: Loop) -> None:
        """`loop` is the one that it serves in."""
        self._simulator = simulator
        self._loop = loop
        self.url = simulator.url

    def do(self, deed: Callable[[Simulator], T]) -> T:
        """Run this in the simulator's own thread and bring back what it returns or raises."""

        async def run() -> T:
            return deed(self._simulator)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def add(self, *files: KnownFile) -> None:
        """Know these files from now on."""
        self.do(lambda simulator: simulator.add(*files))

    def forget(self, *sha256s: str) -> None:
        """Know these files no more."""
        self.do(lambda simulator: simulator.forget(*sha256s))

    def script(self, *files: KnownFile) -> None:
        """Let analyses of these files end with these results."""
        self.do(lambda simulator: simulator.script(*files))

    def behave(self, **knobs: object) -> None:
        """Turn some of the knobs of `Behaviour`."""
        self.do(lambda simulator: simulator.behave(**knobs))

    def fail_next(self, fault: Fault, times: int = 1, *, path: str = "", skip: int = 0) -> None:
        """See `Plan.next`."""
        self.do(lambda simulator: simulator.faults.next(fault, times, path=path, skip=skip))

    def fail_always(self, fault: Fault, *, path: str = "") -> None:
        """See `Plan.always`; `heal` ends it."""
        self.do(lambda simulator: simulator.faults.always(fault, path=path))

    def heal(self) -> None:
        """No more faults."""
        self.do(lambda simulator: simulator.faults.clear())

    @property
    def requests(self) -> list[Request]:
        """Copies of everything that arrived so far, in order."""
        return self.do(lambda simulator: [replace(one) for one in simulator.requests])

    @property
    def uploads(self) -> list[Upload]:
        """Every file taken in so far, in order."""
        return self.do(lambda simulator: list(simulator.uploads))

    def most_in_any_window(self, seconds: float, key: str | None = None) -> int:
        """See `RequestLog.most_in_any_window`."""
        return self.do(lambda simulator: simulator.most_in_any_window(seconds, key))


@contextmanager
def simulator_in_thread(
    simulator: Simulator | None = None, *, port: int = 0
) -> Iterator[Elsewhere]:
    """Serve until the block is left; raises OSError when the port is taken."""
    served = simulator or Simulator()
    started: Future[tuple[Loop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with served.serve(port=port):
            started.set_result((asyncio.get_running_loop(), stop))
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except OSError as error:
            started.set_exception(error)

    thread = threading.Thread(target=run, name="simulator", daemon=True)
    thread.start()
    try:
        loop, stop = started.result(START_SECONDS)
    except OSError:
        thread.join()
        raise
    try:
        yield Elsewhere(served, loop)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
