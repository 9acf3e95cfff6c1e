"""When a second process is worth it, and that nothing rests on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from checkfirst.service.crew import IDLE_SECONDS, MANY, PAUSE_SECONDS, SMALL_BYTES, Crew
from checkfirst.service.lock import only_one
from checkfirst.service.other_hands import OtherHands
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
        crew.expect(MANY - 1)
        await settle_loop()
        assert crew.choose([]) is desk.hands
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "finish"]


async def test_many_are_and_it_goes_when_they_have_gone(tmp_path: Path):
    desk, clock = await a_desk(tmp_path), FakeClock()
    with only_one(desk.state) as lock:
        async with running(desk, lock, clock) as crew:
            crew.expect(MANY)
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
            crew.expect(MANY)  # and comes back for the next many
            assert (await hired(crew, desk)).pid != other.pid


async def test_large_files_are_left_to_the_threads(tmp_path: Path):
    desk = await a_desk(tmp_path)
    small = await asyncio.to_thread(desk.file, b"small", b"a")
    large = await asyncio.to_thread(desk.file, b"large", bytes(2 * SMALL_BYTES))
    with only_one(desk.state) as lock:
        async with running(desk, lock, FakeClock()) as crew:
            crew.expect(MANY)
            other = await hired(crew, desk)
            assert crew.choose([large]) is desk.hands
            assert crew.choose([small, small, large]) is other
            unknown = Work(small.arrival._replace(size=None))
            assert crew.choose([small, unknown]) is desk.hands


async def test_it_ends_with_the_role(tmp_path: Path):
    desk = await a_desk(tmp_path)
    with only_one(desk.state) as lock:
        async with running(desk, lock, FakeClock()) as crew:
            crew.expect(MANY)
            other = await hired(crew, desk)
        assert await asyncio.to_thread(is_gone, other.pid)


async def test_without_one_the_threads_go_on_and_it_is_tried_again_later(tmp_path: Path):
    desk, clock = await a_desk(tmp_path), FakeClock()
    no_descriptor = 10**6
    async with running(desk, no_descriptor, clock) as crew:
        crew.expect(MANY)
        async with asyncio.timeout(30):
            while clock.next_due is None:  # noqa: ASYNC110  (a process, and a fake clock, have no events)
                await asyncio.sleep(0.01)
        assert crew.choose([]) is desk.hands
        assert clock.next_due == PAUSE_SECONDS


async def test_one_that_was_lost_does_nothing_any_more(tmp_path: Path):
    desk = await a_desk(tmp_path)
    with only_one(desk.state) as lock:
        async with running(desk, lock, FakeClock()) as crew:
            crew.expect(MANY)
            other = await hired(crew, desk)
            other.lost = True
            assert crew.choose([]) is desk.hands
