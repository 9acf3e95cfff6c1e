import asyncio
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkfirst.policy.quota import Limits, Slot
from checkfirst.store.allowances import Allowances
from checkfirst.store.database import Database
from checkfirst.store.ledger import Ledger, Permit
from checkfirst.store.usage import Usage
from checkfirst.store.wall_clock import boot_blocking
from tests.fakes.clock import FakeClock

FOUR = Limits(4, 500, 15_500)
WITHIN = 30.0


@pytest.fixture
def ledger(database, clock):
    return Ledger(database, clock, FOUR, WITHIN)


async def take(ledger, number=1):
    permits = [await ledger.acquire() for _ in range(number)]
    assert all(isinstance(each, Permit) for each in permits)
    return permits


async def test_a_slot_is_free_again_a_minute_after_its_answer(ledger, clock):
    permits = await take(ledger, 4)
    await clock.advance(2)
    await ledger.answered(permits[0])
    slot = await ledger.acquire()
    assert isinstance(slot, Slot)
    assert (slot.limit, slot.until) == ("minute", clock.now() + 60)
    await clock.advance(59.9)
    assert isinstance(await ledger.acquire(), Slot)
    await clock.advance(0.2)
    await take(ledger)
    assert isinstance(await ledger.acquire(), Slot)


async def test_an_answer_that_never_comes_counts_as_come_when_it_has_timed_out(
    database, ledger, clock
):
    await take(ledger, 4)
    await clock.advance(WITHIN + 59.9)
    assert isinstance(await ledger.acquire(), Slot)
    assert isinstance(await Ledger(database, clock, FOUR, WITHIN).acquire(), Slot)
    await clock.advance(0.2)
    await take(ledger, 4)


async def test_another_process_sees_what_we_used(database, ledger, clock):
    (permit, *_) = await take(ledger, 4)
    second = Ledger(database, clock, FOUR, WITHIN)
    assert isinstance(await second.acquire(), Slot)
    assert await second.used() == await ledger.used() == Usage(4, 4, 4)
    await ledger.answered(permit)
    await clock.advance(60.1)
    await take(second)
    assert await second.used() == await ledger.used() == Usage(4, 5, 5)


async def test_what_was_never_sent_counts_for_nothing(ledger):
    permits = await take(ledger, 4)
    await ledger.unsent(permits[0])
    await ledger.unsent(permits[0])
    assert await ledger.used() == Usage(3, 3, 3)
    await take(ledger)


async def test_the_day_ends_at_midnight_and_the_month_on_the_first(database):
    clock = FakeClock(1_764_547_190.0)  # 2025-11-30T23:59:50Z
    ledger = Ledger(database, clock, Limits(0, 2, 3), WITHIN)
    await take(ledger, 2)
    slot = await ledger.acquire()
    assert (slot.limit, slot.until) == ("day", clock.now() + 10)
    await clock.advance(10)
    assert await ledger.used() == Usage(2, 0, 0)
    await take(ledger, 2)
    assert (await ledger.acquire()).limit == "day"
    await clock.advance(86_400)
    await take(ledger, 1)
    slot = await ledger.acquire()
    assert (slot.limit, slot.until) == ("month", clock.now() + 30 * 86_400)


async def test_no_limits_are_no_limits(database, clock):
    await take(Ledger(database, clock, Limits(0, 0, 0), WITHIN), 50)


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 30.0, -30.0])
async def test_setting_the_clock_neither_grants_nor_holds_back(ledger, clock, jump):
    for permit in await take(ledger, 4):
        await ledger.answered(permit)
    clock.jump(jump)
    assert isinstance(await ledger.acquire(), Slot)
    await clock.advance(59.9)
    assert isinstance(await ledger.acquire(), Slot)
    await clock.advance(0.2)
    await take(ledger, 4)


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 30.0, -30.0])
async def test_setting_the_clock_and_starting_again_is_as_harmless(database, ledger, clock, jump):
    for permit in await take(ledger, 4):
        await ledger.answered(permit)
    await clock.advance(20)
    clock.jump(jump)
    second = Ledger(database, clock, FOUR, WITHIN)
    assert (await second.used()).minute == 4
    assert isinstance(await second.acquire(), Slot)
    await clock.advance(39.9)
    assert isinstance(await second.acquire(), Slot)
    await clock.advance(0.2)
    await take(second, 4)


async def test_an_answer_after_the_clock_was_set_counts_from_when_it_came(ledger, clock):
    permits = await take(ledger, 4)
    clock.jump(-3600)
    for permit in permits:
        await ledger.answered(permit)
    await clock.advance(59.9)
    assert isinstance(await ledger.acquire(), Slot)
    await clock.advance(0.2)
    await take(ledger, 4)


async def test_a_clock_set_back_does_not_hold_another_process_for_long(database, ledger, clock):
    for permit in await take(ledger, 4):
        await ledger.answered(permit)
    clock.jump(-7 * 86_400)
    second = Ledger(database, clock, FOUR, WITHIN)
    assert isinstance(await second.acquire(), Slot)
    await clock.advance(60.1)
    await take(second, 4)


async def test_old_requests_are_dropped(database, ledger, clock):
    await take(ledger, 4)
    await clock.advance(1000)
    await take(ledger)
    assert await database.rows("SELECT count(*) FROM requests") == [(1,)]
    assert await ledger.used() == Usage(1, 5, 5)


DEEDS = st.lists(
    st.one_of(
        st.just("acquire"),
        st.just("acquire"),
        st.just("answer"),
        st.just("set the clock"),
        st.just("restart"),
        st.floats(0.1, 70.0),
    ),
    max_size=40,
)


@settings(max_examples=30, deadline=None)
@given(DEEDS)
def test_no_window_can_ever_hold_five(deeds):
    """The server may count a request at any moment up to its answer, or up to its time-out."""

    async def story(path):
        clock = FakeClock()
        database = await Database.open(path, clock)
        ledger = Ledger(database, clock, FOUR, WITHIN)
        latest, unanswered, jump = {}, [], 500.0
        for deed in deeds:
            now = clock.monotonic()
            if deed == "acquire":
                permit = await ledger.acquire()
                if isinstance(permit, Permit):
                    assert sum(at > now - 60 + 1e-6 for at in latest.values()) < 4
                    latest[permit.id] = now + WITHIN
                    unanswered.append(permit)
            elif deed == "answer":
                if unanswered and (permit := unanswered.pop()).id in latest:
                    latest[permit.id] = min(now, latest[permit.id])
                    await ledger.answered(permit)
            elif deed == "set the clock":
                jump = -1.5 * jump
                clock.jump(jump)
            elif deed != "restart":
                await clock.advance(deed)
            else:
                await database.close()
                database = await Database.open(path, clock)
                ledger = Ledger(database, clock, FOUR, WITHIN)
                unanswered.clear()
        await database.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(story(Path(folder) / "x"))


CHILD = """
import asyncio, os, random, sys, time
from pathlib import Path
from checkfirst.clock import SystemClock
from checkfirst.policy.quota import Limits
from checkfirst.store.database import Database
from checkfirst.store.allowances import Allowances
from checkfirst.store.ledger import Ledger, Permit

WITHIN = 0.3

async def main():
    log = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    clock = SystemClock()
    database = await Database.open(Path(sys.argv[1]), clock)
    ledger = Ledger(database, clock, Limits(4, 0, 0), WITHIN, window=1.0)
    while True:
        permit = await ledger.acquire()
        if not isinstance(permit, Permit):
            await asyncio.sleep(min(max(permit.until - time.time(), 0.001), 0.1))
            continue
        await asyncio.sleep(random.random() * 0.1)
        seen = time.time()
        if seen > permit.granted_at + WITHIN:
            continue
        os.write(log, b"%.6f\\n" % seen)
        await asyncio.sleep(random.random() * 0.1)
        await ledger.answered(permit)

asyncio.run(main())
"""


def test_processes_that_are_killed_at_any_moment_never_exceed_the_quota_together(tmp_path):
    """Two at a time, SIGKILL every half second, a window of one second; the server's log judges."""
    log = tmp_path / "log"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    chance = random.Random(4)

    def start():
        command = [sys.executable, "-c", CHILD, tmp_path / "checkfirst.sqlite", log]
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)

    children = [start(), start()]
    end = time.monotonic() + 7
    while time.monotonic() < end:
        victim = children.pop(0)
        with contextlib.suppress(subprocess.TimeoutExpired):
            victim.wait(0.5 + chance.random())
        assert victim.poll() is None, victim.stderr.read()
        children.append(start())
        victim.kill()
        victim.communicate()
    for child in children:
        child.kill()
        child.communicate()
    seen = sorted(map(float, log.read_bytes().split()))
    assert len(seen) > 8
    assert min(later - earlier for earlier, later in zip(seen, seen[4:], strict=False)) >= 1.0


async def test_what_is_known_of_the_account_narrows_the_limits_for_all_processes(database, clock):
    limits = Limits(4, 500, 15_500)
    ann = Ledger(database, clock, limits, 30.0, account="ann")
    bob = Ledger(database, clock, limits, 30.0, account="bob")
    await Allowances(database).learn("ann", Limits(1, 0, 20_000), clock.now())
    assert await Allowances(database).get("ann") == (Limits(1, 0, 20_000), clock.now())
    assert isinstance(await ann.acquire(), Permit)
    assert (await ann.acquire()).limit == "minute"
    assert ann.pace.limits.per_minute == 1
    assert isinstance(await bob.acquire(), Permit)
    assert bob.pace.limits.per_minute == 4
    await Allowances(database).learn("bob", Limits(4, 2, 0), clock.now())
    assert (await bob.acquire()).limit == "day"


async def test_its_pace_tells_what_day_and_month_have_used(database, clock):
    ledger = Ledger(database, clock, Limits(0, 2, 3), 30.0)
    seen = []
    for seconds in [0, 0, 0, 86_400, 0]:
        await clock.advance(seconds)
        await ledger.acquire()
        assert ledger.pace.at == clock.now()
        seen.append((ledger.pace.used.day, ledger.pace.used.month))
    assert seen == [(1, 1), (2, 2), (2, 2), (1, 3), (1, 3)]
    assert ledger.pace.limits == Limits(0, 2, 3)


def test_a_system_that_does_not_name_its_boots_has_one_without_a_name(tmp_path):
    assert boot_blocking(tmp_path / "boot_id") == ""
    (tmp_path / "boot_id").write_text("1d2c\n")
    assert boot_blocking(tmp_path / "boot_id") == "1d2c"


async def test_a_request_that_goes_on_keeps_its_place_until_a_minute_after_its_end(database, clock):
    ledger = Ledger(database, clock, Limits(1, 0, 0), 30.0)
    upload = await ledger.acquire()
    assert isinstance(upload, Permit)
    for _ in range(40):
        await clock.advance(29.0)
        assert not isinstance(await ledger.acquire(), Permit)
        await ledger.goes_on(upload)
    await ledger.answered(upload)
    await clock.advance(59.0)
    assert not isinstance(await ledger.acquire(), Permit)
    await clock.advance(2.0)
    assert isinstance(await ledger.acquire(), Permit)


async def test_a_request_that_goes_on_and_dies_counts_until_its_time_out(database, clock):
    ledger = Ledger(database, clock, Limits(1, 0, 0), 30.0)
    upload = await ledger.acquire()
    assert isinstance(upload, Permit)
    await clock.advance(29.0)
    await ledger.goes_on(upload)
    await clock.advance(89.0)
    assert not isinstance(await ledger.acquire(), Permit)
    await clock.advance(2.0)
    assert isinstance(await ledger.acquire(), Permit)
