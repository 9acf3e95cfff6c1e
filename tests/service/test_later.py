import asyncio

import pytest

from checkfirst.errors import StoreError
from checkfirst.service.later import Later
from tests.fakes.clock import FakeClock, settle_loop


async def test_each_comes_back_at_its_moment_and_together_when_due_together():
    clock, came = FakeClock(), []

    async def again(ids: list[int]) -> None:
        came.append((clock.monotonic(), ids))

    later = Later(clock, again)
    start = clock.monotonic()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(later.run())
        later.put(3, 10.0)
        later.put(1, 5.0)
        later.put(2, 5.0)
        later.put(1, 5.0)
        await clock.advance(4.9)
        assert came == []
        await clock.advance(0.2)
        assert came == [(start + 5.0, [1, 2])]
        later.put(4, 0.0)
        await settle_loop()
        assert came[1][1] == [4]
        await clock.advance(10)
        task.cancel()
    assert [ids for _, ids in came] == [[1, 2], [4], [3]]


async def test_what_could_not_be_handed_back_comes_back_when_it_runs_again():
    clock, came = FakeClock(), []

    async def again(ids: list[int]) -> None:
        came.append(ids)
        if len(came) == 1:
            raise StoreError("There is no room left for the database")

    later = Later(clock, again)
    later.put(1, 0.0)
    later.put(2, 0.0)
    with pytest.raises(StoreError):
        await later.run()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(later.run())
        await settle_loop()
        task.cancel()
    assert came == [[1, 2], [1, 2]]
