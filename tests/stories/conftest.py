"""The service that the daemon of a story asks: knows everybody, counts nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import Elsewhere, simulator_in_thread


@pytest.fixture
def simulator() -> Iterator[Elsewhere]:
    with simulator_in_thread(Simulator(limits=NO_LIMITS)) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"
