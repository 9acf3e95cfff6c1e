import asyncio

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
