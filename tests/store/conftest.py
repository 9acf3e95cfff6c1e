"""A real database in a temporary folder, for every test of the store."""

import pytest

from checkfirst.store.database import Database
from tests.fakes.clock import FakeClock


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "checkfirst.sqlite"


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def database(path, clock):
    opened = await Database.open(path, clock)
    yield opened
    await opened.close()
