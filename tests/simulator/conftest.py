from collections.abc import AsyncIterator

import aiohttp
import pytest

from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def simulator(clock) -> AsyncIterator[Simulator]:
    async with Simulator(keys=["k"], limits=NO_LIMITS, clock=clock).serve() as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"x-apikey": "k"}) as session:
        yield session
