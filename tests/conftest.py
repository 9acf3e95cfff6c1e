"""What every test runs under: a blocking call on the event loop is an error."""

import os
import signal
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from blockbuster import blockbuster_ctx


def pytest_configure() -> None:
    """Take out of the surroundings what would reach into the tests, or they into it."""
    # Whoever runs the tests at a desktop keeps their keyring as it is, and gets no notifications.
    os.environ.pop("DBUS_SESSION_BUS_ADDRESS", None)
    # A shell without job control has what it puts into the background ignore interrupts, and so
    # would programs that a test interrupts.
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


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any] | None, Any]:
    """What a test printed or logged may hold names that are no text; processes hand on only text.

    Without this the first log line about such a file ends the whole run of several processes.
    """
    return _as_text((yield))


def _as_text(told: object) -> object:
    match told:
        case str():
            return told.encode(errors="backslashreplace").decode()
        case dict():
            return {_as_text(key): _as_text(each) for key, each in told.items()}
        case list() | tuple():
            return type(told)(map(_as_text, told))
        case _:
            return told
