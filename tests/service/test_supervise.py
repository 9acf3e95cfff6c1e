import asyncio

import pytest

from checkfirst.errors import HandsLostError, Problem
from checkfirst.finish import finish
from checkfirst.service.supervise import Role, Supervisor, VitalRoleFailedError
from checkfirst.store.problem import PassingStoreError
from tests.fakes.clock import FakeClock, settle_loop


class Failing:
    """A role that fails a number of times and then runs."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        if self.runs <= self.times:
            raise Problem("No luck", about=str(self.runs))
        await asyncio.Event().wait()


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def test_a_role_that_fails_is_told_of_and_started_again():
    clock, told, role = FakeClock(), [], Failing(2)
    supervisor = Supervisor(clock, lambda name, why: told.append((name, why)))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(supervisor.run([Role("luck", role.run)], stop))
        await settle_loop()
        assert supervisor.problems == {"luck": "No luck: 1"}
        await clock.advance(10)
        assert role.runs == 3
        assert supervisor.problems == {}
        stop.set()
    assert told == [("luck", "No luck: 1"), ("luck", "No luck: 2")]


async def test_a_vital_role_that_keeps_failing_ends_it_with_the_reason():
    clock, role = FakeClock(), Failing(99)
    supervisor = Supervisor(clock, lambda *_: None)
    run = supervisor.run([Role("heart", role.run), Role("other", _for_ever)], asyncio.Event())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_outcome(run))
        await clock.advance(100)
    assert isinstance(task.result(), VitalRoleFailedError)
    assert "heart" in str(task.result())
    assert "No luck" in str(task.result())
    assert role.runs == 5


async def test_a_full_disk_is_waited_out_by_vital_roles():
    clock, runs = FakeClock(), []

    async def write() -> None:
        runs.append(clock.monotonic())
        if len(runs) < 20:
            raise PassingStoreError("There is no room left for the database", "Make room")
        await asyncio.Event().wait()

    supervisor = Supervisor(clock, lambda *_: None)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(supervisor.run([Role("line", write)], stop))
        await clock.advance(60)
        assert "no room left" in supervisor.problems["line"]
        await clock.advance(3600)
        assert len(runs) == 20
        assert supervisor.problems == {}
        stop.set()


async def test_the_loss_of_a_process_that_helped_is_told_once_and_no_fault_of_the_roles():
    async def work() -> None:
        raise HandsLostError("A second process has ended")

    clock, told, stop = FakeClock(), [], asyncio.Event()
    supervisor = Supervisor(clock, lambda role, reason: told.append(reason))
    async with asyncio.TaskGroup() as group:
        roles = [Role(f"line {n}", work) for n in range(3)]
        group.create_task(supervisor.run(roles, stop))
        await clock.advance(30)
        assert told == ["A second process has ended"]
        stop.set()


async def test_what_many_roles_lack_for_hours_is_told_a_few_times():
    async def write() -> None:
        raise PassingStoreError("There is no room left for the database", "Make room")

    clock, told, stop = FakeClock(), [], asyncio.Event()
    supervisor = Supervisor(clock, lambda role, reason: told.append(reason))
    async with asyncio.TaskGroup() as group:
        roles = [Role(f"line {n}", write) for n in range(4)]
        group.create_task(supervisor.run(roles, stop))
        await clock.advance(7200)
        stop.set()
    assert "hour" in told[-1] or "minutes now" in told[-1]
    assert len(told) == 7
    assert len(supervisor.problems) == 4


async def test_an_optional_role_that_keeps_failing_only_stays_a_problem():
    clock, role = FakeClock(), Failing(99)
    supervisor = Supervisor(clock, lambda *_: None)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(supervisor.run([Role("extra", role.run, vital=False)], stop))
        await clock.advance(600)
        assert "extra" in supervisor.problems
        assert role.runs > 5
        stop.set()


async def test_coming_back_counts_as_a_failure():
    clock, told = FakeClock(), []

    async def back_at_once() -> None:
        await asyncio.sleep(0)

    supervisor = Supervisor(clock, lambda name, why: told.append((name, why)))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(supervisor.run([Role("short", back_at_once, vital=False)], stop))
        await settle_loop()
        stop.set()
    assert told == [("short", "it ended by itself")]


async def test_stages_stop_one_after_the_other():
    clock, ended = FakeClock(), []

    def role(name: str, stage: int) -> Role:
        async def run() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                ended.append(name)

        return Role(name, run, stage=stage)

    stop = asyncio.Event()
    supervisor = Supervisor(clock, lambda *_: None)
    async with asyncio.TaskGroup() as group:
        roles = [role("last", 2), role("first", 0), role("second", 1)]
        group.create_task(supervisor.run(roles, stop))
        await settle_loop()
        stop.set()
    assert ended == ["first", "second", "last"]


async def test_a_role_that_does_not_end_keeps_no_other_from_being_stopped():
    gate, ended = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        await finish(_wait_for(gate))

    async def obedient() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    stop = asyncio.Event()
    supervisor = Supervisor(FakeClock(), lambda *_: None)
    async with asyncio.TaskGroup() as group:
        roles = [Role("stubborn", stubborn, stage=0), Role("obedient", obedient, stage=1)]
        run = group.create_task(supervisor.run(roles, stop, stop_within=0.02))
        await settle_loop()
        stop.set()
        await ended.wait()
        assert not run.done()
        gate.set()
    assert run.exception() is None


async def _wait_for(event: asyncio.Event) -> None:
    await event.wait()


async def _outcome(run) -> BaseException | None:
    try:
        await run
    except Problem as error:
        return error
    return None


async def test_no_failure_of_a_program_is_shown_without_its_kind():
    told = []

    async def broken() -> None:
        raise KeyError("x")

    supervisor = Supervisor(FakeClock(), lambda name, why: told.append(why))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(supervisor.run([Role("broken", broken, vital=False)], stop))
        await settle_loop()
        stop.set()
    assert told == ["KeyError: 'x'"]


@pytest.mark.parametrize("stop_first", [True, False])
async def test_stop_ends_it_without_an_error(*, stop_first):
    stop = asyncio.Event()
    if stop_first:
        stop.set()
    supervisor = Supervisor(FakeClock(), lambda *_: None)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.run([Role("calm", _for_ever)], stop))
        await settle_loop()
        stop.set()
    assert task.exception() is None
