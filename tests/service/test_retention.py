import asyncio
import logging
import os
from datetime import timedelta

import pytest

from checkfirst.model import State
from checkfirst.service.assemble_deeds import open_deeds
from checkfirst.service.deeds import Hand
from checkfirst.service.retention import BEGIN_SECONDS, EVERY_SECONDS, MANY, Retention
from checkfirst.service.steady import Steady
from checkfirst.settings.schema import Settings
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.step import Facts, Step
from checkfirst.vault.grip import ignore_lease_breaks
from tests.cli.journal_scene import NOW, Scene
from tests.fakes.clock import FakeClock

DAY = 86_400.0


@pytest.fixture
def scene(tmp_path):
    ignore_lease_breaks()
    (tmp_path / "Downloads").mkdir()
    return Scene(tmp_path)


def look(scene, keep, days, times=1):
    """What retention deletes so many days after the files were quarantined."""

    settings = Settings()  # looks for folders, so not on the loop

    async def run():
        clock = FakeClock()
        await clock.advance(days * DAY)
        database = await Database.open(scene.state / "checkfirst.sqlite", clock)
        try:
            deeds = await open_deeds(database, clock)
            hand = Hand(settings, deeds, clock)
            retention = Retention(Journal(database, "9:9"), hand.delete, clock, keep, Steady(clock))
            return [await retention.once() for _ in range(times)]
        finally:
            await database.close()

    return asyncio.run(run())


def test_only_what_is_too_old_is_deleted(scene, caplog):
    old, newer = scene.quarantine(b"old.exe", b"1"), scene.quarantine(b"newer.exe", b"2")
    step = Step(newer, frozenset({State.QUARANTINED}), State.QUARANTINED)
    step = Step(step.id, step.before, step.after, Facts(finished_at=NOW + 5 * DAY))
    scene.journal(lambda journal: journal.advance([step]))
    old_payload, new_payload = scene.payload(old), scene.payload(newer)
    with caplog.at_level(logging.INFO):
        assert look(scene, timedelta(days=90), 92) == [1]
    assert not old_payload.parent.exists()
    assert new_payload.exists()
    assert (scene.row(old).state, scene.row(newer).state) == (State.DELETED, State.QUARANTINED)
    assert "old.exe, in the quarantine for over 90d" in caplog.text
    assert "newer.exe" not in caplog.text


def test_a_clock_that_was_set_ahead_by_mistake_costs_no_file(scene):
    number = scene.quarantine(b"young.exe")
    settings = Settings()  # looks for folders, so not on the loop

    async def run():
        clock = FakeClock()
        database = await Database.open(scene.state / "checkfirst.sqlite", clock)
        try:
            hand = Hand(settings, await open_deeds(database, clock), clock)
            steady = Steady(clock)
            keep = timedelta(days=90)
            retention = Retention(Journal(database, "9:9"), hand.delete, clock, keep, steady)
            clock.jump(1000 * DAY)
            assert await retention.once() == 0
            assert await retention.once() == 0
            clock.jump(-1000 * DAY)
            await clock.advance(EVERY_SECONDS)
            assert await retention.once() == 0
        finally:
            await database.close()

    asyncio.run(run())
    assert scene.row(number).state is State.QUARANTINED


def test_by_default_nothing_is_ever_deleted(scene):
    number = scene.quarantine(b"old.exe")
    assert look(scene, Settings().retention.quarantine, 20_000) == [0]
    assert scene.row(number).state is State.QUARANTINED


def test_what_has_no_row_or_was_restored_stays(scene):
    number = scene.quarantine(b"restored.exe")
    payload = scene.payload(number)
    restored = Step(
        number,
        frozenset({State.QUARANTINED}),
        State.RESTORED,
        Facts(destination=os.fsencode(payload.parent)),
    )
    scene.journal(lambda journal: journal.advance([restored]))
    stranger = scene.top / "quarantine" / "2020-01-01 stranger abcdef01"
    stranger.mkdir()
    (stranger / "payload.quarantined").write_text("somebody's")
    assert look(scene, timedelta(days=1), 400) == [0]
    assert payload.exists()
    assert (stranger / "payload.quarantined").exists()


def test_a_quarantine_that_is_not_mounted_loses_no_row(scene):
    number = scene.quarantine(b"old.exe")
    (scene.top / "quarantine").rename(scene.top / "elsewhere")
    assert look(scene, timedelta(days=1), 400) == [0]
    assert scene.row(number).state is State.QUARANTINED


def test_what_a_command_has_in_hand_is_left_to_it(scene):
    number = scene.quarantine(b"old.exe")
    step = Step(number, frozenset({State.QUARANTINED}), State.RESTORING, keep=True)
    scene.journal(lambda journal: journal.advance([step]))
    assert look(scene, timedelta(days=1), 400) == [0]
    assert scene.row(number).state is State.RESTORING


def test_a_folder_that_cannot_be_emptied_is_told_once_and_stays(scene, caplog):
    number = scene.quarantine(b"old.exe")
    folder = scene.payload(number).parent
    payload = folder / "payload.quarantined"
    payload.unlink()
    payload.mkdir()  # unlink(2) refuses
    with caplog.at_level(logging.DEBUG):
        assert look(scene, timedelta(days=1), 400, times=3) == [0, 0, 0]
    levels = [each.levelno for each in caplog.records if "old.exe" in each.getMessage()]
    assert levels == [logging.WARNING, logging.DEBUG, logging.DEBUG]
    assert scene.row(number).state is State.QUARANTINED


def test_many_are_told_in_one_line(scene, caplog):
    for n in range(MANY):
        scene.quarantine(b"%d.exe" % n, b"%d" % n)
    with caplog.at_level(logging.INFO):
        assert look(scene, timedelta(days=1), 400) == [MANY]
    assert f"{MANY} files" in caplog.text
    assert "24.exe" not in caplog.text


async def test_it_looks_soon_after_the_start_and_every_hour(tmp_path):
    clock = FakeClock()
    database = await Database.open(tmp_path / "checkfirst.sqlite", clock)
    looks = asyncio.Queue()

    async def delete(rows):
        looks.put_nowait(clock.monotonic())
        return []

    start = clock.monotonic()
    retention = Retention(Journal(database, "1:1"), delete, clock, timedelta(days=1), Steady(clock))
    found = []
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(retention.run())
            for seconds in (BEGIN_SECONDS, EVERY_SECONDS):
                await clock.advance(seconds)
                found.append(await looks.get() - start)
            task.cancel()
    finally:
        await database.close()
    assert found == [BEGIN_SECONDS, BEGIN_SECONDS + EVERY_SECONDS]
