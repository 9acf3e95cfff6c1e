"""Events that come thick are read together."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.observers.inotify_c import InotifyConstants, Mask

from checkfirst.watch.hints import Heard, Hints
from checkfirst.watch.inotify import Descriptor


class Callback:
    """What watchdog calls for the folder."""

    def on_event(self, event: object) -> None: ...

    def on_watch_deleted(self, wd: object) -> None: ...

    def on_queue_overflow(self) -> None: ...


class Reading:
    """A reader without its thread, and pauses in which files come."""

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.folder = folder
        self.comes: list[int] = []
        """How many files come in each pause."""
        self._made = 0
        hints = Hints(loop, _not_heard, recursive=False, excluded=frozenset())
        self.descriptor = Descriptor(hints, os.fsencode(folder), self._pause)
        mask = Mask(InotifyConstants.IN_CLOSE_WRITE)
        self.descriptor.add_callback(os.fsencode(folder), mask, Callback(), 1)

    def make(self, count: int) -> None:
        for number in range(self._made, self._made + count):
            (self.folder / str(number)).touch()
        self._made += count

    def read(self) -> int:
        return len(self.descriptor.read_events())

    def _pause(self, seconds: float) -> None:
        assert 0 < seconds < 0.1
        self.make(self.comes.pop(0))


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    loop = asyncio.new_event_loop()
    reading = Reading(tmp_path, loop)
    yield reading
    reading.descriptor.close()
    loop.close()


def _not_heard(heard: Heard) -> None:
    raise AssertionError(heard)


def test_single_files_are_told_at_once(reading: Reading) -> None:
    for _ in range(3):
        reading.make(1)
        assert reading.read() == 1


def test_what_comes_while_files_come_thick_is_read_with_the_next(reading: Reading) -> None:
    reading.make(100)
    assert reading.read() == 100
    reading.comes = [50, 1, 0]
    reading.make(1)
    assert reading.read() == 51
    assert reading.read() == 1
    reading.make(1)
    assert reading.read() == 1
    assert reading.comes == [0]
