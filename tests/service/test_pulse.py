"""Signs of life prove that files move, not that a timer runs."""

import asyncio
import os
from contextlib import suppress

import pytest

from checkfirst.service.pulse import SLOW_SECONDS, Pulse, keep_watchdog
from checkfirst.service.systemd import Systemd
from tests.fakes.clock import FakeClock
from tests.service.test_systemd import manager

LIMIT = 30.0


class Scene:
    def __init__(self, told, address: str) -> None:
        self.told, self.clock = told, FakeClock()
        environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(int(LIMIT * 1e6))}
        self.systemd = Systemd(self.clock, environ)
        self.pulse = Pulse(self.clock)
        self.store_answers = asyncio.Event()
        self.store_answers.set()

    async def signs_within(self, seconds: float) -> int:
        self.told.heard()
        await self.clock.advance(seconds)
        return len(self.told.heard())


@pytest.fixture
async def scene(tmp_path):
    address = str(tmp_path / f"notify-{os.getpid()}")
    with manager(address) as told:
        scene = Scene(told, address)
        watch = keep_watchdog(scene.systemd, scene.pulse, scene.store_answers.wait, scene.clock)
        async with asyncio.TaskGroup() as group:
            role = group.create_task(watch)
            yield scene
            role.cancel()
            with suppress(asyncio.CancelledError):
                await role


async def test_an_idle_line_is_alive(scene):
    assert await scene.signs_within(LIMIT) == 3


async def test_batches_that_end_are_life_however_many(scene):
    for _ in range(10):
        with scene.pulse.beat():
            assert await scene.signs_within(LIMIT - 1) > 1


async def test_a_batch_that_never_ends_is_none(scene):
    with scene.pulse.beat():
        await scene.signs_within(LIMIT)
        with scene.pulse.beat():
            pass  # the other lane gets on
        assert await scene.signs_within(10 * LIMIT) == 0
    assert await scene.signs_within(LIMIT) == 3


async def test_a_store_that_does_not_answer_is_none(scene):
    await scene.signs_within(1.0)
    scene.store_answers.clear()
    assert await scene.signs_within(10 * LIMIT) <= 1


async def test_a_batch_that_takes_very_long_is_a_problem_until_it_has_ended():
    clock = FakeClock()
    pulse = Pulse(clock)
    with pulse.beat():
        await clock.advance(SLOW_SECONDS)
        assert pulse.problems() == []
        await clock.advance(1)
        [problem] = pulse.problems()
        assert "network folders answer" in problem
    assert pulse.problems() == []
