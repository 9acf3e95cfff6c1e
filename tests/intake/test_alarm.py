import asyncio

from checkfirst.intake.alarm import Alarm
from tests.fakes.clock import FakeClock, settle_loop


async def sleeping(alarm, due):
    task = asyncio.create_task(alarm.sleep_until(due))
    await settle_loop()
    return task


async def test_it_wakes_at_its_moment_and_not_before():
    clock = FakeClock()
    task = await sleeping(Alarm(clock), clock.monotonic() + 2)
    await clock.advance(1.999)
    assert not task.done()
    await clock.advance(0.001)
    assert task.done()


async def test_a_ring_wakes_it_and_leaves_no_sleeper():
    clock = FakeClock()
    alarm = Alarm(clock)
    task = await sleeping(alarm, clock.monotonic() + 2)
    alarm.ring()
    await settle_loop()
    assert task.done()
    assert clock.next_due is None


async def test_a_ring_before_the_sleep_counts_once():
    clock = FakeClock()
    alarm = Alarm(clock)
    alarm.ring()
    assert (await sleeping(alarm, clock.monotonic() + 2)).done()
    task = await sleeping(alarm, None)
    assert not task.done()
    alarm.ring()
    await task


async def test_a_moment_that_has_passed_is_now():
    clock = FakeClock()
    assert (await sleeping(Alarm(clock), clock.monotonic() - 1)).done()


async def test_it_can_be_cancelled():
    clock = FakeClock()
    task = await sleeping(Alarm(clock), clock.monotonic() + 2)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert clock.next_due is None
