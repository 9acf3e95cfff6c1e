import asyncio
from collections.abc import AsyncIterator

import pytest

from checkfirst.vault.grip import ignore_lease_breaks
from tests.fakes.clock import FakeClock
from tests.watch.watching import Bench


@pytest.fixture(autouse=True)
def _sigio_is_harmless():
    ignore_lease_breaks()


@pytest.fixture
async def bench(tmp_path) -> AsyncIterator[Bench]:
    """A watched folder, a state folder and the means to watch; all stopped at the end."""

    def folders():
        (tmp_path / "Downloads").mkdir()
        (tmp_path / "state").mkdir()

    await asyncio.to_thread(folders)
    made = Bench(bytes(tmp_path), FakeClock())
    yield made
    await made.close()
