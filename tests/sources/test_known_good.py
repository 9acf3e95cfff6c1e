import asyncio
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from checkfirst.model import Fingerprint, Risk, VerdictKind
from checkfirst.sources.chain import Chain
from checkfirst.sources.known_good import LOOK_SECONDS, KnownGood
from checkfirst.sources.knowngood.format import KEYS_AT, DamagedError
from tests.fakes.clock import FakeClock
from tests.sources.knowngood.made import build, digests


@pytest.fixture
def path(tmp_path):
    return tmp_path / "known-good.cfk"


@pytest.fixture
def clock():
    return FakeClock()


def prints(wanted) -> list[Fingerprint]:
    return [Fingerprint(digest.hex(), 1, "", Risk.PROGRAM) for digest in wanted]


async def made(path, clock) -> KnownGood:
    return await asyncio.to_thread(KnownGood, path, clock)


async def test_a_listed_file_is_clean_and_the_reason_names_the_set(path, clock):
    await asyncio.to_thread(build, path, digests(3), source="NSRL RDS 2026.03.1")
    source = await made(path, clock)
    known, unknown = digests(1)[0], digests(1, first=3)[0]
    found = await source.answer(prints([known, unknown]))
    assert set(found) == {known.hex()}
    verdict = found[known.hex()]
    assert (verdict.kind, verdict.source) == (VerdictKind.CLEAN, "known-good")
    assert verdict.reason == "on the known-good list (NSRL RDS 2026.03.1)"
    assert (source.health().asked, source.health().answered) == (2, 1)


async def test_without_a_list_nobody_is_known_and_no_thread_is_troubled(path, clock):
    source = await made(path, clock)
    asyncio.get_running_loop().set_default_executor(_NoThreads())
    assert await source.answer(prints(digests(5))) == {}
    assert source.health().healthy


class _NoThreads(ThreadPoolExecutor):
    def submit(self, *_, **__):
        raise AssertionError("a thread was asked for")


class _Counting(ThreadPoolExecutor):
    hops = 0

    def submit(self, *arguments, **named):
        self.hops += 1
        return super().submit(*arguments, **named)


async def test_a_batch_costs_one_thread_hop(path, clock):
    await asyncio.to_thread(build, path, digests(60))
    source = await made(path, clock)
    threads = _Counting(2)
    asyncio.get_running_loop().set_default_executor(threads)
    assert len(await source.answer(prints(digests(120)))) == 60
    assert threads.hops == 1


async def test_a_new_list_is_used_at_once_and_a_first_one_within_a_second(path, clock):
    source = await made(path, clock)
    old, new = digests(1), digests(1, first=1)
    await asyncio.to_thread(build, path, old)
    await clock.advance(LOOK_SECONDS)
    assert await source.answer(prints(old)) != {}
    await asyncio.to_thread(build, path, new)
    assert set(await source.answer(prints(old + new))) == {new[0].hex()}
    await asyncio.to_thread(os.unlink, path)
    assert await source.answer(prints(old + new)) == {}
    assert source.health().healthy


async def test_a_damaged_list_is_told_from_the_start_and_refused_until_it_is_replaced(path, clock):
    await asyncio.to_thread(build, path, digests(3))
    await asyncio.to_thread(os.truncate, path, 100)
    source = await made(path, clock)
    assert not source.health().healthy
    assert "damaged" in (source.health().problem or "")
    for _ in range(3):
        with pytest.raises(DamagedError):
            await source.answer(prints(digests(1)))
        await clock.advance(LOOK_SECONDS)
    await asyncio.to_thread(build, path, digests(3))
    assert len(await source.answer(prints(digests(3)))) == 3
    assert source.health().healthy


async def test_damage_that_shows_later_is_refused_as_well(path, clock, caplog):
    await asyncio.to_thread(build, path, digests(300))
    source = await made(path, clock)
    chain = Chain([source], clock)
    assert len(await chain.answer(prints(digests(300)))) == 300

    def spoil():
        with path.open("r+b") as file:
            file.seek(KEYS_AT + 5)
            file.write(b"\xff\x00\xff")

    await asyncio.to_thread(spoil)
    with caplog.at_level(logging.ERROR):
        assert await chain.answer(prints(digests(300))) == {}
        assert await chain.answer(prints(digests(300))) == {}
    assert len([one for one in caplog.records if "damaged" in one.getMessage()]) == 1
    (health,) = chain.health()
    assert (health.healthy, "damaged" in (health.problem or "")) == (False, True)


async def test_a_list_that_could_not_be_read_is_tried_again(path, clock):
    await asyncio.to_thread(os.mkdir, path)
    source = await made(path, clock)
    assert "cannot be read" in (source.health().problem or "")
    await asyncio.to_thread(os.rmdir, path)
    await asyncio.to_thread(build, path, digests(1))
    await clock.advance(LOOK_SECONDS)
    assert len(await source.answer(prints(digests(1)))) == 1


async def test_no_batch_meets_a_list_that_was_closed_under_it(path, clock):
    await asyncio.to_thread(build, path, digests(50))
    source = await made(path, clock)
    half_way, other_is_done = threading.Event(), threading.Event()

    def slowly():
        yield digests(1)[0]
        half_way.set()
        other_is_done.wait(0.3)
        yield digests(2)[1]

    def other():
        half_way.wait(10)
        build(path, digests(60, first=60))
        source._find_blocking([])
        other_is_done.set()

    (listed, _), _ = await asyncio.gather(
        asyncio.to_thread(source._find_blocking, slowly()), asyncio.to_thread(other)
    )
    assert listed == set(digests(2))
    assert len(await source.answer(prints(digests(60, first=60)))) == 60
