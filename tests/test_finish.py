import asyncio
import logging

from checkfirst.finish import finish
from tests.fakes.clock import settle_loop


async def test_finish_goes_to_the_end_before_it_lets_a_cancellation_through():
    gate, ended = asyncio.Event(), []

    async def work() -> None:
        await gate.wait()
        ended.append("moved")

    async with asyncio.TaskGroup() as group:
        task = group.create_task(finish(work()))
        await settle_loop()
        task.cancel()
        await settle_loop()
        assert not task.done()
        gate.set()
    assert ended == ["moved"]
    assert task.cancelled()


async def test_what_fails_while_its_caller_is_cancelled_is_told_to_who_debugs(caplog):
    caplog.set_level(logging.DEBUG)
    gate = asyncio.Event()

    async def work() -> None:
        await gate.wait()
        raise OSError("the disk is away")

    async with asyncio.TaskGroup() as group:
        task = group.create_task(finish(work()))
        await settle_loop()
        task.cancel()
        await settle_loop()
        gate.set()
    assert task.cancelled()
    assert "the disk is away" in caplog.text


async def test_one_that_is_cancelled_again_and_again_still_waits_and_hurries_once():
    gate, hurried = asyncio.Event(), []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(finish(gate.wait(), lambda: hurried.append("hurry")))
        await settle_loop()
        for _ in range(3):
            task.cancel()
            await settle_loop()
            assert not task.done()
        gate.set()
    assert task.cancelled()
    assert hurried == ["hurry"]
