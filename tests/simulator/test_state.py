import hashlib
from dataclasses import replace

import pytest

from checkfirst.simulator.behaviour import Behaviour, FirstAnalysis
from checkfirst.simulator.corpus import MARKER, PENDING_SAMPLE
from checkfirst.simulator.known import (
    clean,
    few_opinions,
    malicious,
    pending_with_zeros,
)
from checkfirst.simulator.state import Stage, Upload, World

NEW = b"never seen\n"


@pytest.fixture
def world(clock) -> World:
    return World(clock, Behaviour())


def upload(content: bytes, name: str | None = "a name") -> Upload:
    return Upload(
        sha256=hashlib.sha256(content).hexdigest(),
        sha1=hashlib.sha1(content).hexdigest(),
        md5=hashlib.md5(content).hexdigest(),
        size=len(content),
        content=content,
        file_name=name,
        disposition="",
        fields={},
        via="/api/v3/files",
        key="k",
    )


async def test_an_upload_is_pending_until_its_analysis_ends_and_then_known(world, clock):
    analysis = world.take_in(upload(NEW))
    shown = world.find(analysis.result.sha256)
    assert shown.last_analysis_date is None
    assert "last_analysis_stats" in shown.without

    await clock.advance(29.9)
    assert world.find(analysis.result.md5).last_analysis_date is None
    await clock.advance(0.2)

    known = world.find(analysis.result.sha1)
    assert known.stats["undetected"] == 63
    assert known.last_analysis_date == analysis.date
    assert known.names == ("a name",)
    assert known.without == frozenset()


@pytest.mark.parametrize(
    ("shows", "found"), [(FirstAnalysis.WITH_ZEROS, True), (FirstAnalysis.NOT_FOUND, False)]
)
async def test_what_a_first_analysis_shows_can_be_chosen(world, clock, shows, found):
    world.behaviour = replace(world.behaviour, first_analysis=shows)
    analysis = world.take_in(upload(NEW))

    shown = world.find(analysis.result.sha256)
    assert (shown is not None) == found
    assert shown is None or (shown.without == frozenset() and sum(shown.stats.values()) == 0)
    await clock.advance(30)
    assert world.find(analysis.result.sha256).stats["undetected"] == 63


async def test_an_analysis_ends_as_scripted(world, clock):
    world.script(few_opinions(NEW, 1))
    analysis = world.take_in(upload(NEW))
    await clock.advance(30)

    assert world.find(analysis.result.sha256).stats["undetected"] == 1


async def test_an_analysis_that_takes_no_time_has_ended_at_once(world):
    world.behaviour = replace(world.behaviour, queued_seconds=0, in_progress_seconds=0)
    analysis = world.take_in(upload(NEW + MARKER))

    assert world.find(analysis.result.sha256).stats["malicious"] == 62


async def test_the_old_result_stands_while_a_known_file_is_scanned_again(world, clock):
    old = clean(NEW)
    world.add(old)
    world.script(malicious(NEW, detections=4))

    analysis = world.analyse(old)
    await clock.advance(15)
    assert world.find(old.sha256) == old
    assert world.find_analysis(analysis.id).stage(clock.monotonic()) is Stage.IN_PROGRESS
    await clock.advance(15)

    new = world.find(old.sha256)
    assert (new.stats["malicious"], new.last_analysis_date) == (4, analysis.date)
    assert new.first_submission_date == old.first_submission_date


async def test_a_second_scan_during_the_first_finds_the_same(world, clock):
    first = world.take_in(upload(NEW + MARKER))
    await clock.advance(5)
    world.analyse(world.find(first.result.sha256))
    await clock.advance(40)

    assert world.find(first.result.sha256).stats["malicious"] == 62
    assert len(world.analyses) == 2


async def test_a_file_known_as_pending_gets_a_result_when_it_is_scanned(world, clock):
    world.add(pending_with_zeros(PENDING_SAMPLE))
    world.analyse(world.find(pending_with_zeros(PENDING_SAMPLE).sha256))
    await clock.advance(30)

    known = world.find(pending_with_zeros(PENDING_SAMPLE).sha256)
    assert (known.stats["undetected"], known.size) == (63, len(PENDING_SAMPLE))


async def test_results_grow_bad_ones_first(world, clock):
    analysis = world.take_in(upload(NEW + MARKER))
    counts = []
    for _ in range(7):
        results = analysis.results(clock.monotonic())
        counts.append(len(results))
        await clock.advance(5)

    assert counts == [0, 0, 1, 18, 36, 54, 73]


def test_a_forgotten_file_is_unknown(world):
    world.add(clean(NEW))
    world.forget(clean(NEW).sha256)

    assert world.find(clean(NEW).sha256) is None
    assert world.find(clean(NEW).md5) is None


def test_an_upload_url_can_be_spent_once_and_only_if_it_was_given(world):
    token = world.new_upload_url("k")
    assert world.owner_of(token) == "k"

    assert [world.spend_upload_url(one) for one in (token, token, "made up")] == [
        True,
        False,
        False,
    ]
