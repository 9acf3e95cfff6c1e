"""Rows and places after a crash: places outrank rows, and nothing is unlinked unproven."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from checkfirst.model import Arrival, Risk, State
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.step import Facts, NewArrival, Step
from checkfirst.vault.grip import grasp_blocking
from checkfirst.vault.places import Places
from checkfirst.vault.quarantine import quarantine_blocking
from checkfirst.vault.recover import Recovery
from checkfirst.vault.report import Report
from tests.fakes.clock import FakeClock

T = TypeVar("T")
OPEN = frozenset({State.HOLDING})


class Scene:
    """Folders, a journal and a recovery over them."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.allowed: list[int] = []
        self.stopped = False
        self.downloads, self.held = top / "Downloads", top / "held"
        self.released, self.quarantine = top / "Released", top / "Quarantine"
        for folder in (self.downloads, self.held / "slot", self.released, self.quarantine):
            folder.mkdir(parents=True)
        self.places = Places(
            held=(os.fsencode(self.held),),
            released=os.fsencode(self.released),
            quarantine=os.fsencode(self.quarantine),
            relative=lambda row: row.name,
        )

    def do(self, work: Callable[[Journal], Awaitable[T]], process: str = "1:1:test") -> T:
        """Work with the journal as this process."""

        async def run() -> T:
            database = await Database.open(self.top / "checkfirst.sqlite", FakeClock())
            try:
                return await work(Journal(database, process))
            finally:
                await database.close()

        return asyncio.run(run())

    def row(self, state: State, content: bytes = b"bytes") -> int:
        """A row in this state, for a file `f` in the slot."""
        return self.do(lambda journal: self._row(journal, state, content))

    async def _row(self, journal: Journal, state: State, content: bytes) -> int:
        root = os.fsencode(self.downloads)
        held = os.fsencode(self.held / "slot" / "f")
        number = (await journal.begin([NewArrival(root, root + b"/f", held, None, 1.0)]))[0]
        facts = Facts(
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            mtime_ns=1_000_000_000,
            risk=Risk.OTHER,
            content_type="text/plain",
        )
        await journal.advance([Step(number, OPEN, state, facts)])
        await journal.unclaim([number])
        return number

    def put(self, folder: Path, content: bytes = b"bytes") -> Path:
        path = folder / "f"
        path.write_bytes(content)
        os.utime(path, ns=(1_000_000_000, 1_000_000_000))
        return path

    def recovery(self, journal: Journal) -> Recovery:
        async def allow(row: Arrival) -> None:
            self.allowed.append(row.id)

        return Recovery(
            journal, self.places, FakeClock(), allow=allow, stopped=lambda: self.stopped
        )

    def recover(self) -> list[Arrival]:
        return self.do(lambda journal: self.recovery(journal).everything())

    def recovered(self, number: int) -> Arrival:
        self.recover()
        row = self.do(lambda journal: journal.get(number))
        assert row is not None
        return row


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def test_a_new_file_at_the_origin_never_costs_the_held_one(scene):
    number = scene.row(State.HOLDING)
    held = scene.put(scene.held / "slot", b"first")
    origin = scene.put(scene.downloads, b"other")
    row = scene.recovered(number)
    assert row.state is State.HELD
    assert held.read_bytes() == b"first"
    assert origin.read_bytes() == b"other"


def test_of_a_copy_that_was_cut_short_the_original_counts(scene):
    number = scene.row(State.HOLDING)
    held = scene.put(scene.held / "slot")
    origin = scene.put(scene.downloads)
    assert (scene.recovered(number)).state is State.LEFT
    assert not held.exists()
    assert origin.read_bytes() == b"bytes"


@pytest.mark.parametrize("is_same", [True, False])
def test_the_same_file_that_came_once_more_is_not_taken_for_the_original(scene, is_same):
    number = scene.row(State.HOLDING)
    held = scene.put(scene.held / "slot")
    origin = scene.put(scene.downloads)
    seen = origin.stat()
    ino = seen.st_ino if is_same else seen.st_ino + 1
    facts = Facts(dev=seen.st_dev, ino=ino, mtime_ns=seen.st_mtime_ns)
    step = Step(number, frozenset({State.HOLDING}), State.HOLDING, facts)
    scene.do(lambda journal: journal.advance([step]))
    assert scene.recovered(number).state is (State.LEFT if is_same else State.HELD)
    assert held.exists() is not is_same
    assert origin.exists()


def test_a_file_that_was_never_moved_is_left_for_the_sweep(scene):
    number = scene.row(State.HOLDING)
    scene.put(scene.downloads)
    assert (scene.recovered(number)).state is State.LEFT


def test_a_held_file_whose_row_was_not_written_is_held(scene):
    number = scene.row(State.HOLDING)
    scene.put(scene.held / "slot")
    assert (scene.recovered(number)).state is State.HELD


def test_a_file_that_is_nowhere_is_gone(scene):
    assert (scene.recovered(scene.row(State.WAITING))).state is State.GONE


def test_nothing_is_gone_while_the_held_folder_is_away(scene):
    number = scene.row(State.WAITING)
    scene.held.rename(scene.held.with_name("away"))
    assert (scene.recovered(number)).state is State.WAITING


def test_a_finished_release_is_noticed(scene):
    number = scene.row(State.RELEASING)
    there = scene.put(scene.released)
    row = scene.recovered(number)
    assert row.state is State.RELEASED
    assert row.destination == os.fsencode(there)


def test_a_release_that_was_copied_drops_the_held_twin(scene):
    number = scene.row(State.RELEASING)
    held = scene.put(scene.held / "slot")
    scene.put(scene.released)
    assert (scene.recovered(number)).state is State.RELEASED
    assert not held.exists()


@pytest.mark.parametrize("state", [State.RELEASING, State.RESTORING])
def test_a_twin_that_was_given_out_before_is_not_taken_for_the_move(scene, state):
    """The same file twice, of the same name and time: both are there in the end."""
    first = scene.row(State.RELEASED)
    if state is State.RESTORING:
        number, folder, to = restoring(scene, noted=True)
        kept, after = folder / "payload.quarantined", State.QUARANTINED
    else:
        number, to = scene.row(state), scene.released
        kept, after = scene.put(scene.held / "slot"), State.HELD
    there = scene.put(to)
    facts = Facts(destination=os.fsencode(there))
    step = Step(first, frozenset({State.RELEASED}), State.RELEASED, facts)
    scene.do(lambda journal: journal.advance([step]))
    assert scene.recovered(number).state is after
    assert kept.exists()
    assert there.exists()


def test_of_twins_on_their_way_only_one_has_arrived(scene):
    first, second = scene.row(State.RELEASING), scene.row(State.RELEASING)
    for number in (first, second):
        slot = scene.held / f"slot{number}"
        slot.mkdir()
        facts = Facts(held=os.fsencode(scene.put(slot)))
        step = Step(number, frozenset({State.RELEASING}), State.RELEASING, facts)
        scene.do(lambda journal, step=step: journal.advance([step]))
    scene.put(scene.released)
    assert [row.state for row in scene.recover()] == [State.HELD]
    assert len(list(scene.held.rglob("f"))) == 1


def test_held_bytes_that_differ_from_the_released_ones_stay(scene):
    number = scene.row(State.RELEASING)
    held = scene.put(scene.held / "slot", b"BYTES")
    scene.put(scene.released)
    assert (scene.recovered(number)).state is State.HELD
    assert held.read_bytes() == b"BYTES"


@pytest.mark.parametrize("state", [State.RELEASING, State.QUARANTINING])
def test_a_decision_that_was_not_carried_out_is_taken_anew(scene, state):
    number = scene.row(state)
    held = scene.put(scene.held / "slot")
    assert (scene.recovered(number)).state is State.HELD
    assert held.exists()


def test_a_held_file_without_a_row_gets_one(scene):
    scene.put(scene.held / "slot")
    (row,) = scene.recover()
    assert (row.state, row.name) == (State.HELD, b"f")


def test_what_a_living_command_works_on_is_left_to_it(scene):
    number = scene.row(State.QUARANTINED)
    folder = scene.quarantine / "folder"
    folder.mkdir()
    (folder / "payload.quarantined").write_bytes(b"bytes")
    facts = Facts(destination=os.fsencode(folder))
    step = Step(number, frozenset({State.QUARANTINED}), State.DELETING, facts, keep=True)
    assert scene.do(lambda journal: journal.advance([step]), "2:2:other") == {number}
    assert scene.recovered(number).state is State.DELETING
    assert (folder / "payload.quarantined").exists()


def test_a_payload_that_was_copied_drops_the_held_twin_and_has_one_row(scene):
    number = scene.row(State.QUARANTINING)
    held = scene.put(scene.held / "slot")
    copied(scene, number, b"bytes")
    row = scene.recovered(number)
    assert row.state is State.QUARANTINED
    assert not held.exists()
    payload = Path(os.fsdecode(row.destination)) / "payload.quarantined"
    assert payload.stat().st_mode & 0o7777 == 0
    assert scene.do(lambda journal: journal.counts()) == {State.QUARANTINED: 1}


@pytest.mark.parametrize(("held", "payload"), [(b"BYTES", b"bytes"), (b"bytes", b"BYTES")])
def test_held_bytes_that_are_not_in_quarantine_stay(scene, held, payload):
    number = scene.row(State.QUARANTINING)
    path = scene.put(scene.held / "slot", held)
    copied(scene, number, payload)
    assert scene.recovered(number).state is State.HELD
    assert path.read_bytes() == held


def copied(scene: Scene, number: int, payload: bytes) -> None:
    """Leave the quarantine as a crash after the copy leaves it."""
    (scene.top / "twin").mkdir()
    twin = scene.put(scene.top / "twin", payload)
    sha256, origin = hashlib.sha256(b"bytes").hexdigest(), os.fsencode(scene.downloads / "f")
    report = Report(number, origin, sha256, 5, 0o644, 1_000_000_000, decided_at=1.0)
    with grasp_blocking(os.fsencode(twin), lease=False) as grip:
        if payload == b"bytes":
            quarantine_blocking(grip, os.fsencode(twin), scene.places.quarantine, report)
            return
    folder = scene.quarantine / "1970-01-01 f"
    folder.mkdir(mode=0o700)
    (folder / "report.json").write_bytes(report.to_json())
    twin.rename(folder / "payload.quarantined")


def test_what_lies_held_is_held_though_its_row_says_it_was_left(scene):
    number = scene.row(State.LEFT)
    scene.put(scene.held / "slot")
    rows = scene.recover()
    assert [(row.id, row.state) for row in rows] == [(number, State.HELD)]


def test_a_name_that_was_only_reserved_is_freed(scene):
    number = scene.row(State.HOLDING)
    held = scene.put(scene.held / "slot", b"")
    scene.put(scene.downloads)
    assert scene.recovered(number).state is State.LEFT
    assert not held.exists()


def test_a_row_that_cannot_be_looked_into_stops_no_other(scene):
    stuck = scene.row(State.QUARANTINING)
    other = scene.row(State.RELEASING)
    scene.put(scene.released)
    scene.quarantine.rmdir()
    scene.quarantine.write_bytes(b"in the way")
    assert [row.id for row in scene.recover()] == [stuck]
    assert scene.do(lambda journal: journal.get(other)).state is State.RELEASED


def test_nothing_is_gone_while_the_folder_it_went_to_is_away(scene):
    quarantining, releasing = scene.row(State.QUARANTINING), scene.row(State.RELEASING)
    scene.quarantine.rmdir()
    scene.released.rmdir()
    assert scene.recovered(quarantining).state is State.QUARANTINING
    assert scene.recovered(releasing).state is State.RELEASING


def restoring(scene: Scene, *, noted: bool, payload: bool = True) -> tuple[int, Path, Path]:
    """Leave a restore as a crash does: the row, the folder in the quarantine, the way out."""
    number, folder, to = scene.row(State.RESTORING), scene.quarantine / "folder", scene.top / "to"
    report = Report(number, b"/d/f", hashlib.sha256(b"bytes").hexdigest(), 5, 0o644, 1_000_000_000)
    for each in (folder, to):
        each.mkdir()
    (folder / "report.json").write_bytes(report.to_json())
    if payload:
        scene.put(folder).rename(folder / "payload.quarantined")
        (folder / "payload.quarantined").chmod(0)
    if noted:
        (folder / "restoring-to").symlink_to(to)
    facts = Facts(destination=os.fsencode(folder))
    step = Step(number, frozenset({State.RESTORING}), State.RESTORING, facts)
    scene.do(lambda journal: journal.advance([step]))
    return number, folder, to


def test_a_restore_that_was_copied_is_finished_and_leaves_one_file(scene):
    number, folder, to = restoring(scene, noted=True)
    there = scene.put(to)
    row = scene.recovered(number)
    assert (row.state, row.destination) == (State.RESTORED, os.fsencode(there))
    assert not folder.exists()
    assert there.read_bytes() == b"bytes"
    assert scene.allowed == [number]


@pytest.mark.parametrize("there", [None, b"other", b"BYTES"])
def test_a_restore_that_did_not_come_to_copying_is_none(scene, there):
    number, folder, to = restoring(scene, noted=True)
    (folder / "payload.quarantined").chmod(0o644)
    if there:
        scene.put(to, there)
    assert scene.recovered(number).state is State.QUARANTINED
    assert scene.allowed == []
    assert sorted(os.listdir(folder)) == ["payload.quarantined", "report.json"]
    assert (folder / "payload.quarantined").stat().st_mode & 0o7777 == 0


def test_a_payload_that_is_not_what_was_copied_stays(scene):
    number, folder, to = restoring(scene, noted=True)
    there = scene.put(to)
    (folder / "payload.quarantined").write_bytes(b"BYTES")
    assert scene.recovered(number).state is State.QUARANTINED
    assert (folder / "payload.quarantined").exists()
    assert there.exists()


def test_a_restore_that_was_renamed_leaves_no_reports_behind(scene):
    number, folder, to = restoring(scene, noted=True, payload=False)
    there = scene.put(to)
    row = scene.recovered(number)
    assert (row.state, row.destination) == (State.RESTORED, os.fsencode(there))
    assert not folder.exists()


def test_a_restore_is_finished_even_when_the_database_is_lost_meanwhile(scene):
    _, folder, to = restoring(scene, noted=True)
    scene.put(to)
    for path in scene.top.glob("checkfirst.sqlite*"):
        path.unlink()
    assert scene.recover() == []
    assert not folder.exists()
    assert scene.do(lambda journal: journal.counts()) == {State.RESTORED: 1}


def test_what_is_left_of_a_folder_whose_file_is_known_to_be_back_makes_no_second_row(scene):
    number, folder, to = restoring(scene, noted=True, payload=False)
    there = scene.put(to)
    facts = Facts(destination=os.fsencode(there))
    step = Step(number, frozenset({State.RESTORING}), State.RESTORED, facts)
    scene.do(lambda journal: journal.advance([step]))
    assert scene.recovered(number).destination == os.fsencode(there)
    assert not folder.exists()
    assert scene.do(lambda journal: journal.counts()) == {State.RESTORED: 1}


def test_nobody_is_allowed_what_no_person_has_had_back(scene):
    """As the second look restores: into the released folder, without a note."""
    number, folder, _ = restoring(scene, noted=False, payload=False)
    there = scene.put(scene.released)
    assert scene.recovered(number).destination == os.fsencode(there)
    assert scene.allowed == []
    assert not folder.exists()


def test_a_recovery_that_is_stopped_reads_no_further_and_leaves_the_row(scene):
    content = bytes(20 * 1024 * 1024)
    number = scene.row(State.RELEASING, content)
    held, there = scene.put(scene.held / "slot", content), scene.put(scene.released, content)
    scene.stopped = True
    assert scene.recovered(number).state is State.RELEASING
    assert held.exists()
    assert there.exists()
    scene.stopped = False
    assert scene.recovered(number).state is State.RELEASED


def test_only_scratch_that_can_be_no_arrival_is_cleared_away(scene):
    name = ".checkfirst-2a-7.partial"
    (scene.held / name).write_bytes(b"half")
    (scene.held / "0a1b.trial").touch()
    staged = scene.quarantine / ".checkfirst-7-0123abcd.partial"
    staged.mkdir()
    (staged / "report.txt").touch()
    (scene.held / "slot" / name).write_bytes(b"a download of that name")
    strange = scene.quarantine / ".checkfirst-8-0123abcd.partial"
    strange.mkdir()
    (strange / "payload.quarantined").write_bytes(b"whose is this?")
    (row,) = scene.recover()
    assert (row.state, row.name) == (State.HELD, os.fsencode(name))
    assert os.listdir(scene.held) == ["slot"]
    assert os.listdir(scene.quarantine) == [strange.name]
    assert (strange / "payload.quarantined").exists()


def test_what_we_had_in_hand_in_another_life_of_this_process_is_mended_too(scene):
    number = scene.row(State.HOLDING)
    origin = scene.put(scene.downloads)
    assert len(scene.do(lambda journal: journal.claim([number]))) == 1
    row = scene.recovered(number)
    assert row.state is State.LEFT
    assert origin.exists()


def test_many_interrupted_rows_cost_one_listing_of_the_quarantine(scene, monkeypatch):
    rows = [scene.row(State.QUARANTINING, b"bytes") for _ in range(20)]
    for n in range(50):
        (scene.quarantine / f"1970-01-01 other {n:08x}").mkdir()
    listed = []
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: listed.append(path) or real(path))
    scene.put(scene.held / "slot")
    scene.do(lambda journal: scene.recovery(journal).take_over(rows))
    assert listed.count(os.fsencode(scene.quarantine)) == 1


@pytest.mark.parametrize("moment", [1_000_000_000, 2_000_000_000])
@pytest.mark.parametrize("state", [State.RELEASING, State.RESTORING])
def test_an_inode_number_that_was_given_out_anew_is_no_proof(scene, state, moment):
    """Of a copy it went back to the filesystem: another file of the name and size may have it."""
    if state is State.RESTORING:
        number, folder, to = restoring(scene, noted=True)
        kept, after = folder / "payload.quarantined", State.QUARANTINED
    else:
        number, to = scene.row(state), scene.released
        kept, after = scene.put(scene.held / "slot"), State.HELD
    stranger = scene.put(to, b"BYTES")
    os.utime(stranger, ns=(moment, moment))
    seen = stranger.stat()
    step = Step(number, frozenset({state}), state, Facts(dev=seen.st_dev, ino=seen.st_ino))
    scene.do(lambda journal: journal.advance([step]))
    assert scene.recovered(number).state is after
    kept.chmod(0o600)
    assert kept.read_bytes() == b"bytes"
    assert stranger.read_bytes() == b"BYTES"
    assert scene.allowed == []


def test_what_another_process_has_in_hand_is_left_to_it(scene):
    """A command that restores would find the payload's mode changed, and its note gone."""
    number, folder, _ = restoring(scene, noted=True)
    payload = folder / "payload.quarantined"
    payload.chmod(0o400)
    other = "2:2:other"

    def look_again() -> list[Arrival]:
        return scene.do(lambda journal: scene.recovery(journal).look_again([number]))

    assert scene.do(lambda journal: journal.claim([number]), other)
    assert look_again() == []
    assert (folder / "restoring-to").is_symlink()
    assert payload.stat().st_mode & 0o777 == 0o400
    scene.do(lambda journal: journal.unclaim([number]), other)
    assert scene.do(lambda journal: journal.claim([number]))  # ours, with its result unwritten
    look_again()
    assert scene.do(lambda journal: journal.get(number)).state is State.QUARANTINED
    assert payload.stat().st_mode & 0o777 == 0


def test_nothing_is_restored_while_the_quarantine_is_away(scene):
    number = scene.row(State.RESTORING)
    scene.quarantine.rmdir()
    assert scene.recovered(number).state is State.RESTORING


def being_deleted(scene, state: State = State.DELETING) -> tuple[int, Path]:
    """A quarantined file that a person had deleted as far as this, and its folder."""
    number = scene.row(State.QUARANTINING)
    copied(scene, number, b"bytes")
    (folder,) = scene.quarantine.iterdir()
    step = Step(
        number, frozenset({State.QUARANTINING}), state, Facts(destination=os.fsencode(folder))
    )
    scene.do(lambda journal: journal.advance([step]))
    return number, folder


def test_a_deletion_that_was_cut_short_is_finished(scene):
    number, folder = being_deleted(scene)
    assert scene.recovered(number).state is State.DELETED
    assert not folder.exists()


def test_a_deletion_that_was_cut_short_waits_for_the_quarantine(scene):
    number, folder = being_deleted(scene)
    scene.quarantine.rename(scene.top / "away")
    scene.quarantine.mkdir()
    assert scene.recovered(number).state is State.DELETING
    scene.quarantine.rmdir()
    (scene.top / "away").rename(scene.quarantine)
    assert scene.recovered(number).state is State.DELETED
    assert not folder.exists()
    assert scene.do(lambda journal: journal.counts()) == {State.DELETED: 1}


def test_what_is_left_of_the_folder_of_a_deleted_file_goes_at_the_next_start(scene):
    number, folder = being_deleted(scene, State.DELETED)
    (folder / "payload.quarantined").unlink()
    assert scene.recovered(number).state is State.DELETED
    assert not folder.exists()


def test_a_folder_without_a_payload_stays_while_nobody_knows_what_became_of_it(scene):
    number, folder = being_deleted(scene, State.QUARANTINED)
    (folder / "payload.quarantined").unlink()
    assert scene.recovered(number).state is State.QUARANTINED
    scene.do(lambda journal: journal.advance([deleted(number, State.QUARANTINED)]))
    (scene.top / "checkfirst.sqlite").unlink()
    assert scene.recover() == []
    assert folder.exists()


def deleted(number: int, before: State) -> Step:
    return Step(number, frozenset({before}), State.DELETED)
