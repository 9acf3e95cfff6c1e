import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from pydantic import SecretStr

from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.sources.virustotal.client import Client


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(keys=["k"], limits=NO_LIMITS).serve() as running:
        yield running


@pytest.fixture
async def client(simulator) -> AsyncIterator[Client]:
    client = Client(simulator.url, lambda: SecretStr("k"), 5.0)
    yield client
    await client.close()


@pytest.fixture
def opened(tmp_path) -> Iterator[Callable[[bytes], tuple[int, str, int]]]:
    """Puts bytes into a file and gives its descriptor, hash and size."""
    descriptors = []

    def put(content: bytes) -> tuple[int, str, int]:
        path = tmp_path / "a private name.exe"
        path.write_bytes(content)
        descriptors.append(os.open(path, os.O_RDONLY))
        return descriptors[-1], hashlib.sha256(content).hexdigest(), len(content)

    yield put
    for descriptor in descriptors:
        os.close(descriptor)
