"""The daemon as a service manager starts it: what it hears, and when."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import House, wait_for

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]


class Managed(House):
    """A house whose daemon was started by a service manager."""

    def __init__(self, home: Path, url: str, **changes: object) -> None:
        super().__init__(home, url, **changes)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._listener.bind(str(home / "notify"))
        self.told: list[str] = []
        self._heard = 0
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        more = {"NOTIFY_SOCKET": str(self.home / "notify"), "WATCHDOG_USEC": "600000"}
        return {k: v for k, v in {**super().environment, **more}.items() if k != "WATCHDOG_PID"}

    def hears(self, *wanted: str) -> None:
        """Wait for these, in this order, with whatever in between."""
        for each in wanted:
            wait_for(each, lambda each=each: self._next(each))

    def _next(self, wanted: str) -> bool:
        if self._heard == len(self.told):
            return False
        self._heard += 1
        return self.told[self._heard - 1].startswith(wanted)

    def _listen(self) -> None:
        """At all times, as a service manager does: what finds a queue of ten full is lost."""
        while told := self._listener.recv(4096):
            self.told.append(told.decode())

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(self.home / "notify"))
        self._thread.join()
        self._listener.close()


@contextmanager
def managed(home: Path, url: str) -> Iterator[Managed]:
    house = Managed(home, url)
    try:
        yield house
    finally:
        house.close()


def test_a_service_manager_hears_of_the_whole_life(home: Path, simulator: Elsewhere):
    with managed(home, simulator.url) as house, house.running():
        house.hears("STATUS=Watching ", "READY=1", "WATCHDOG=1", "WATCHDOG=1")
        house.drop("one", b"one")
        house.until("one", State.RELEASED)
        house.change(mode="stop-unknowns")
        before = int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6)
        house.hang_up()
        house.hears("RELOADING=1", "STATUS=", "READY=1", "WATCHDOG=1")
        (told,) = [each for each in house.told if each.startswith("RELOADING")][-1:]
        at = int(told.split("MONOTONIC_USEC=")[1].split("\n")[0])
        assert before < at < int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6)
        assert any("mode stop-unknowns" in each for each in house.told)
        house.stop()
        house.hears("STOPPING=1")
