"""Bursts, silence, and a desktop that fails: nobody but the log ever notices."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from checkfirst.notify.crier import (
    REST_SECONDS,
    SAME_AGAIN_SECONDS,
    WINDOW_SECONDS,
    Crier,
)
from checkfirst.notify.news import Kind, News
from tests.fakes.clock import FakeClock
from tests.fakes.notifier import RecordingNotifier


@pytest.fixture(autouse=True)
def _info(caplog):
    caplog.set_level(logging.INFO, "checkfirst")


async def until(look: Callable[[], object]) -> None:
    """What a thread or a real time limit has a hand in comes when it comes."""
    for _ in range(10_000):
        if look():
            return
        await asyncio.sleep(0.001)
    pytest.fail("it never came")


@asynccontextmanager
async def crying(notifier, clock, kinds=frozenset(Kind), **more) -> AsyncIterator[Crier]:
    crier = Crier(notifier, kinds, clock, **more)
    async with asyncio.TaskGroup() as group:
        role = group.create_task(crier.run())
        await until(lambda: crier._some._waiters)  # past its look at the desktop
        yield crier
        role.cancel()
        with suppress(asyncio.CancelledError):
            await role


def stopped(n: int = 0) -> News:
    return News(Kind.QUARANTINED, f"{n}.exe: malicious")


async def test_a_burst_is_one_notification():
    clock, notifier = FakeClock(), RecordingNotifier()
    async with crying(notifier, clock) as crier:
        for n in range(100):
            crier.put(stopped(n))
        await clock.advance(WINDOW_SECONDS)
        assert [told.title for told in notifier.shown] == ["checkfirst stopped 100 files"]


async def test_what_comes_soon_after_waits_for_the_rest_to_end_and_comes_as_one():
    clock, notifier = FakeClock(), RecordingNotifier()
    async with crying(notifier, clock) as crier:
        crier.put(stopped())
        await clock.advance(WINDOW_SECONDS)
        for n in range(5):
            crier.put(stopped(n))
            await clock.advance(1.0)
        assert len(notifier.shown) == 1
        await clock.advance(REST_SECONDS)
        assert [told.title for told in notifier.shown[1:]] == ["checkfirst stopped 5 files"]


async def test_what_is_not_wanted_is_not_told():
    clock, notifier = FakeClock(), RecordingNotifier()
    async with crying(notifier, clock, kinds={Kind.PROBLEM}) as crier:
        crier.put(stopped())
        await clock.advance(60.0)
        assert notifier.shown == []


async def test_what_is_still_to_be_told_at_the_end_is_told_then():
    clock, notifier = FakeClock(), RecordingNotifier()
    async with crying(notifier, clock) as crier:
        crier.put(stopped())
    assert len(notifier.shown) == 1
    assert notifier.closed == 1


async def test_the_same_problem_is_told_once_an_hour():
    clock, notifier = FakeClock(), RecordingNotifier()
    async with crying(notifier, clock) as crier:
        for _ in range(3):
            crier.put(News(Kind.PROBLEM, "The disk is full"))
            await clock.advance(60.0)
        crier.put(News(Kind.PROBLEM, "The network is away"))
        await clock.advance(60.0)
        assert [told.body for told in notifier.shown] == ["The disk is full", "The network is away"]
        await clock.advance(SAME_AGAIN_SECONDS)
        crier.put(News(Kind.PROBLEM, "The disk is full"))
        await clock.advance(60.0)
        assert len(notifier.shown) == 3


async def test_a_machine_without_a_desktop_is_told_so_once_in_one_line(caplog):
    clock, notifier = FakeClock(), RecordingNotifier(why_not="there is no desktop session here")
    async with crying(notifier, clock) as crier:
        for n in range(5):
            crier.put(stopped(n))
            await clock.advance(60.0)
    assert caplog.messages == [
        "no notifications are shown: there is no desktop session here; the log tells everything"
    ]
    assert caplog.records[0].levelno == logging.INFO


async def test_nothing_is_said_where_notifications_are_not_wished_for(caplog):
    async with crying(RecordingNotifier(why_not="nobody there"), FakeClock(), kinds=()):
        pass
    assert caplog.messages == []


async def test_a_desktop_that_comes_later_is_told_what_comes_later(caplog):
    clock, notifier = FakeClock(), RecordingNotifier()
    notifier.fails = "nobody is there yet"
    async with crying(notifier, clock) as crier:
        crier.put(stopped(1))
        await clock.advance(60.0)
        notifier.fails = None
        crier.put(stopped(2))
        await clock.advance(60.0)
        assert [told.body for told in notifier.shown] == ["2.exe: malicious"]
        notifier.fails = "it is gone again"
        crier.put(stopped(3))
        await clock.advance(60.0)
    assert len(caplog.messages) == 2


async def test_a_desktop_that_hangs_is_left_alone_after_a_while(caplog):
    clock, notifier = FakeClock(), RecordingNotifier()
    notifier.hangs = True
    async with crying(notifier, clock, limit_seconds=0.02) as crier:
        crier.put(stopped())
        await clock.advance(WINDOW_SECONDS)
        await until(lambda: caplog.messages)
        notifier.hangs = False
        await clock.advance(REST_SECONDS)
        crier.put(stopped(2))
        await clock.advance(WINDOW_SECONDS)
        assert len(notifier.shown) == 1
    assert "the desktop does not answer" in caplog.text
