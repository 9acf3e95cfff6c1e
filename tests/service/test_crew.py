"""When a second process is worth it, and that nothing rests on it."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from checkfirst.errors import HandsLostError
from checkfirst.service.crew import (
    HANGING_SECONDS,
    IDLE_SECONDS,
    LOOK_SECONDS,
    MANY,
    PAUSE_SECONDS,
    SLOW_SECONDS,
    SMALL_BYTES,
    Crew,
)
from checkfirst.service.lock import only_one
from checkfirst.service.other_hands import READY_SECONDS, OtherHands
from checkfirst.service.work import Work
from checkfirst.vault.grip import ignore_lease_breaks
from tests.fakes.clock import FakeClock, settle_loop
from tests.service.test_other_hands import Desk, is_gone


@asynccontextmanager
async def running(desk: Desk, lock: int, clock: FakeClock) -> AsyncIterator[Crew]:
    crew = Crew(desk.hands, lock, clock)
    task = asyncio.create_task(crew.run(), name="crew")
    await settle_loop()
    try:
        yield crew
    finally:
        task.cancel()
        await asyncio.wait({task})


async def hired(crew: Crew, desk: Desk) -> OtherHands:
    """Wait until the second process does the work."""
    async with asyncio.timeout(30):
        while not isinstance(doer := crew.choose([]), OtherHands):  # noqa: ASYNC110  (a process, and a fake clock, have no events)
            await asyncio.sleep(0.01)
    return doer


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(is_gone, pid):  # noqa: ASYNC110  (a process, and a fake clock, have no events)
            await asyncio.sleep(0.01)


async def a_desk(tmp_path: Path) -> Desk:
    ignore_lease_breaks()
    return await asyncio.to_thread(Desk, tmp_path)


async def test_a_few_files_are_no_reason(tmp_path: Path):
    desk = await a_desk(tmp_path)
    async with running(desk, -1, FakeClock()) as crew:
        crew.expect(lambda: MANY - 1)
        await settle_loop()
        assert crew.choose([]) is desk.hands
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "finish"]


async def test_many_are_and_it_goes_when_they_have_gone(tmp_path: Path):
    desk, clock = await a_desk(tmp_path), FakeClock()
    with only_one(desk.state) as lock:
        async with running(desk, lock, clock) as crew:
            crew.expect(lambda: MANY)
            other = await hired(crew, desk)
            work = await asyncio.to_thread(desk.file, b"a", b"a")
            assert crew.choose([work]) is other
            [hand] = await asyncio.to_thread(other.take_blocking, [work])
            for _ in range(3):  # it is not let go with something in its hand
                await clock.advance(IDLE_SECONDS)
            assert not await asyncio.to_thread(is_gone, other.pid)
            await asyncio.to_thread(other.put_down_blocking, [hand])
            await clock.advance(2 * IDLE_SECONDS)
            await until_gone(other.pid)
            assert crew.choose([work]) is desk.hands
            crew.expect(lambda: MANY)  # and comes back for the next many
            assert (await hired(crew, desk)).pid != other.pid


async def test_large_files_are_left_to_the_threads(tmp_path: Path):
    desk = await a_desk(tmp_path)
    small = await asyncio.to_thread(desk.file, b"small", b"a")
    large = await asyncio.to_thread(desk.file, b"large", bytes(2 * SMALL_BYTES))
    with only_one(desk.state) as lock:
        async with running(desk, lock, FakeClock()) as crew:
            crew.expect(lambda: MANY)
            other = await hired(crew, desk)
            assert crew.choose([large]) is desk.hands
            assert crew.choose([small, small, large]) is other
            unknown = Work(small.arrival._replace(size=None))
            assert crew.choose([small, unknown]) is desk.hands


async def test_one_that_is_chosen_is_not_let_go_before_it_is_told(tmp_path: Path):
    """All threads may be at work on large files."""
    desk, clock = await a_desk(tmp_path), FakeClock()
    with only_one(desk.state) as lock:
        async with running(desk, lock, clock) as crew:
            crew.expect(lambda: MANY)
            other = await hired(crew, desk)
            work = await asyncio.to_thread(desk.file, b"a", b"a")
            assert crew.choose([work]) is other
            await clock.advance(3 * IDLE_SECONDS)
            [hand] = await asyncio.to_thread(other.take_blocking, [work])
            await asyncio.to_thread(other.put_down_blocking, [hand])


async def test_one_that_hangs_is_told_of_and_then_ended_for_the_threads_to_go_on(tmp_path: Path):
    desk, clock = await a_desk(tmp_path), FakeClock()
    with only_one(desk.state) as lock:
        async with running(desk, lock, clock) as crew, asyncio.TaskGroup() as group:
            crew.expect(lambda: MANY)
            other = await hired(crew, desk)
            os.kill(other.pid, signal.SIGSTOP)
            work = await asyncio.to_thread(desk.file, b"a", b"a")
            doer = crew.choose([work])
            lane = group.create_task(_error_of(asyncio.to_thread(doer.take_blocking, [work])))
            async with asyncio.timeout(30):
                while not other.busy:  # noqa: ASYNC110  (a thread, and a fake clock, have no events)
                    await asyncio.sleep(0.01)
            await clock.advance(SLOW_SECONDS - LOOK_SECONDS)
            assert crew.problems() == []
            await clock.advance(2 * LOOK_SECONDS)
            [problem] = crew.problems()
            assert f"kill -CONT {other.pid}" in problem
            await clock.advance(HANGING_SECONDS - SLOW_SECONDS - 2 * LOOK_SECONDS)
            assert not lane.done()
            await clock.advance(2 * LOOK_SECONDS)
            assert "it got no further for 120 seconds" in str(await lane)
            assert await asyncio.to_thread(is_gone, other.pid)
            assert crew.choose([work]) is desk.hands


async def _error_of(work: Awaitable[object]) -> HandsLostError:
    with pytest.raises(HandsLostError) as failed:
        await work
    return failed.value


async def test_one_that_is_slow_but_gets_on_is_left_to_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    desk, clock = await a_desk(tmp_path), FakeClock()
    with only_one(desk.state) as lock:
        async with running(desk, lock, clock) as crew, asyncio.TaskGroup() as group:
            crew.expect(lambda: MANY)
            other = await hired(crew, desk)
            os.kill(other.pid, signal.SIGSTOP)
            work = await asyncio.to_thread(desk.file, b"a", b"a")
            lane = group.create_task(asyncio.to_thread(other.take_blocking, [work]))
            async with asyncio.timeout(30):
                while not other.busy:  # noqa: ASYNC110  (a thread, and a fake clock, have no events)
                    await asyncio.sleep(0.01)
            for _ in range(4):
                await clock.advance(HANGING_SECONDS - LOOK_SECONDS)
                assert crew.problems()
                other.signs += 1
                await clock.advance(LOOK_SECONDS)
                assert crew.problems() == []
            told = [record.levelname for record in caplog.records if record.levelno >= logging.INFO]
            assert told == ["ERROR", "INFO"] * 4
            os.kill(other.pid, signal.SIGCONT)
            [hand] = await lane
            await asyncio.to_thread(other.put_down_blocking, [hand])


async def test_a_stop_does_not_wait_for_one_that_hangs_at_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    desk = await a_desk(tmp_path)
    python, started = tmp_path / "python", tmp_path / "started"
    await asyncio.to_thread(python.write_text, f"#!/bin/sh\necho $$ > {started}\nexec sleep 600\n")
    await asyncio.to_thread(python.chmod, 0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with only_one(desk.state) as lock:
        async with asyncio.timeout(READY_SECONDS - 1):
            async with running(desk, lock, FakeClock()) as crew:
                crew.expect(lambda: MANY)
                while not await asyncio.to_thread(_has_text, started):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        pid = int(await asyncio.to_thread(started.read_text))
        assert await asyncio.to_thread(is_gone, pid)


def _has_text(path: Path) -> bool:
    return path.exists() and path.read_text().endswith("\n")


async def test_it_ends_with_the_role(tmp_path: Path):
    desk = await a_desk(tmp_path)
    with only_one(desk.state) as lock:
        async with running(desk, lock, FakeClock()) as crew:
            crew.expect(lambda: MANY)
            other = await hired(crew, desk)
        assert await asyncio.to_thread(is_gone, other.pid)


async def test_without_one_the_threads_go_on_and_it_is_tried_again_later(tmp_path: Path):
    desk, clock = await a_desk(tmp_path), FakeClock()
    no_descriptor = 10**6
    async with running(desk, no_descriptor, clock) as crew:
        crew.expect(lambda: MANY)
        async with asyncio.timeout(30):
            while clock.next_due is None:  # noqa: ASYNC110  (a process, and a fake clock, have no events)
                await asyncio.sleep(0.01)
        assert crew.choose([]) is desk.hands
        assert clock.next_due == PAUSE_SECONDS


async def test_one_that_was_lost_does_nothing_any_more(tmp_path: Path):
    desk = await a_desk(tmp_path)
    with only_one(desk.state) as lock:
        async with running(desk, lock, FakeClock()) as crew:
            crew.expect(lambda: MANY)
            other = await hired(crew, desk)
            other.lost = True
            assert crew.choose([]) is desk.hands
