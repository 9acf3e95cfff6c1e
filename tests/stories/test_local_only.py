"""Without VirusTotal among the sources: no key, no network, and nobody's silence is an answer."""

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from checkfirst.model import State, VerdictKind
from checkfirst.settings.places import KNOWN_GOOD
from checkfirst.sources.known_good import LOOK_SECONDS
from tests.sources.knowngood.made import build
from tests.stories.house import WAITING, House, wait_for
from tests.stories.test_deeds import NOWHERE, says

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

GOOD, BAD, NEW = b"a published program", b"blocked by its user", b"never seen anywhere"


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


class Keyless(House):
    """A house whose owner has no account anywhere."""

    key: str | None = None

    def __init__(self, home: Path, **changes: object) -> None:
        blocked = {"block": [digest(BAD).hex()]}
        sources = ["lists", "remembered", "known-good"]
        super().__init__(home, NOWHERE, sources=sources, lists=blocked, **changes)
        self.list = self.state / KNOWN_GOOD

    @property
    def environment(self) -> dict[str, str]:
        environment = super().environment
        if self.key is None:
            del environment["CHECKFIRST_VIRUSTOTAL__API_KEY"]
        return environment


@pytest.mark.parametrize(
    ("mode", "end"),
    [("normal", State.RELEASED), ("stop-unknowns", State.QUARANTINED)],
)
def test_what_no_local_source_knows_is_unknown_and_the_mode_decides(home: Path, mode, end):
    house = Keyless(home, mode=mode)
    build(house.list, [digest(GOOD)], source="a set")
    with house.running():
        for name, content in (("good.exe", GOOD), ("bad.exe", BAD), ("new.exe", NEW)):
            house.drop(name, content)
        rows = house.until_ended("good.exe", "bad.exe", "new.exe")
        assert (rows[b"good.exe"].state, rows[b"good.exe"].source) == (State.RELEASED, "known-good")
        assert (rows[b"bad.exe"].state, rows[b"bad.exe"].source) == (State.QUARANTINED, "lists")
        assert (rows[b"new.exe"].state, rows[b"new.exe"].verdict) == (end, VerdictKind.UNKNOWN)
        assert "no source on this machine knows it" in (rows[b"new.exe"].reason or "")
        note = house.until_said("sources", "only this machine is asked")
        assert f"mode {mode}" in note
        status = json.loads(says(house, "status", "--json"))
        assert status["state"] == "running"
        assert "only this machine is asked" in status["note"]
        assert [each["name"] for each in status["sources"]] == ["lists", "remembered", "known-good"]
        assert status["quota"]["day"]["used"] == 0


def test_while_a_local_source_is_broken_nothing_is_unknown(home: Path):
    house = Keyless(home)
    build(house.list, [digest(GOOD)])
    os.truncate(house.list, 5000)
    with house.running():
        for name, content in (("good.exe", GOOD), ("bad.exe", BAD), ("new.exe", NEW)):
            house.drop(name, content)
        house.until("bad.exe", State.QUARANTINED)
        for name in ("good.exe", "new.exe"):
            house.until_waits(name, "a source on this machine cannot be asked")
        status = json.loads(says(house, "status", "--json", code=1))
        assert any("damaged" in each for each in status["problems"])
        assert "damaged" in says(house, "check", str(house.drop("x.txt", b"x", home)), code=3)
        build(house.list, [digest(GOOD)])
        rows = house.until_ended("good.exe", "bad.exe", "new.exe")
        assert rows[b"good.exe"].source == "known-good"
        assert rows[b"new.exe"].verdict is VerdictKind.UNKNOWN
        wait_for("it is well", lambda: not house.snapshot().sources[2].problem)


def test_a_list_that_was_damaged_and_is_imported_again_is_well_without_a_download(home: Path):
    house = Keyless(home)
    build(house.list, [digest(GOOD)])
    os.truncate(house.list, 5000)
    with house.running():
        wait_for("it is told", lambda: house.snapshot().sources[2].problem)
        build(house.list, [digest(GOOD)])
        wait_for("it is well", lambda: house.snapshot().sources[2].healthy)


def test_a_list_that_comes_while_it_runs_is_used_without_a_restart(home: Path):
    house = Keyless(home, mode="stop-unknowns")
    with house.running():
        house.drop("first.exe", GOOD)
        house.until("first.exe", State.QUARANTINED)
        build(house.list, [digest(GOOD)])
        time.sleep(LOOK_SECONDS)
        house.drop("again.exe", GOOD)
        assert house.until("again.exe", State.RELEASED).source == "known-good"


def test_check_needs_no_key_either_and_cannot_submit(home: Path):
    house = Keyless(home)
    path = str(house.drop("new.exe", NEW, home))
    assert "open" in says(house, "check", path)
    assert "stop" in says(house, "check", "--stop-unknowns", path, code=1)
    assert "virustotal" in says(house, "check", "--submit-unknowns", path, code=2)


def test_virustotal_cannot_be_turned_on_without_a_key_while_it_runs(home: Path):
    house = Keyless(home)
    with house.running():
        house.change(sources=["lists", "virustotal"])
        house.hang_up()
        house.until_said("problem", "the settings stay as they were")
        house.drop("new.exe", NEW)
        house.until("new.exe", State.RELEASED)


def test_a_file_that_waits_for_virustotal_is_judged_once_it_is_left_out(home: Path):
    house = Keyless(home, mode="stop-unknowns")
    house.change(sources=["lists", "remembered", "known-good", "virustotal"])
    house.key = "demo"
    with house.running():
        house.drop("new.exe", NEW)
        house.until("new.exe", *WAITING)
        house.change(sources=["lists", "remembered", "known-good"])
        house.hang_up()
        assert house.until("new.exe", State.QUARANTINED).verdict is VerdictKind.UNKNOWN


def test_a_list_that_comes_while_files_wait_lets_them_go(home: Path):
    house = Keyless(home)
    house.key = "demo"
    house.change(sources=["lists", "remembered", "known-good", "virustotal"])
    with house.running():
        house.drop("good.exe", GOOD)
        house.drop("new.exe", NEW)
        for name in ("good.exe", "new.exe"):
            house.until(name, *WAITING)
        build(house.list, [digest(GOOD)])
        row = house.until("good.exe", State.RELEASED)
        assert (row.source, row.verdict) == ("known-good", VerdictKind.CLEAN)
        assert house.rows("new.exe")[-1].state in WAITING
        house.until_said("sources", "the known-good list has changed")
