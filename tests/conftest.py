"""What every test runs under: a blocking call on the event loop is an error."""

import signal
from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx


def pytest_configure() -> None:
    """Programs that a test interrupts must not have inherited that interrupts are ignored.

    A shell without job control starts what it puts into the background so.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _nothing_blocks_the_loop() -> Iterator[None]:
    """Armed once for all tests; it acts only in a thread whose event loop is running."""
    with blockbuster_ctx() as guard:
        # A traceback that is formatted on the loop reads the source lines it shows.
        for name in ("io.BufferedReader.read", "io.TextIOWrapper.read"):
            guard.functions[name].can_block_in("linecache.py", {"updatecache"})
        yield
