"""VirusTotal changes its mind about files that have come to their end."""

import hashlib
import json
import os
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import House, wait_for
from tests.stories.test_deeds import says

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

SOON = {"for": "1h", "every": "1s"}
CONTENT = b"new malware, not known to anybody yet"


def test_a_released_file_that_turns_out_malicious_is_taken_back(home: Path, simulator: Elsewhere):
    with House(home, simulator.url, recheck=SOON).running() as house:
        house.drop("tool.exe", CONTENT)
        first = house.until("tool.exe", State.RELEASED)
        house.until_said("asked", "once more about tool.exe")
        assert status(house)["second_look"]["files"] == 1
        simulator.add(malicious(CONTENT))
        again = house.until("tool.exe", State.QUARANTINED)
        assert again.id > first.id
        assert again.origin == first.destination
        assert not os.path.lexists(first.destination)
        assert (house.released / "tool.exe").exists() is False
        wait_for("the first row tells of it", lambda: "number" in house.rows()[0].reason)
        row = house.rows()[0]
        assert (row.state, f"taken back, see number {again.id}" in row.reason) == (
            State.RELEASED,
            True,
        )
        assert "is taken back from" in house.until_said("again", "tool.exe")
        assert len(house.log("again")) == 1
        nothing = {"files": 0, "next_at": None}
        wait_for("no look follows", lambda: status(house)["second_look"] == nothing)
        (old,) = json.loads(says(house, "why", str(first.id), "--json"))
        assert old["second_look"]["said"] == "malicious"
        assert old["second_look"]["next_at"] is None
        assert "called it malicious. It is not asked about again." in says(
            house, "why", str(first.id)
        )
        asked = len(simulator.requests)
        house.drop("tool.exe", CONTENT)
        wait_for("the copy", lambda: len(house.rows(b"tool.exe")) == 3)
        house.until("tool.exe", State.QUARANTINED)
        assert len(simulator.requests) == asked


def test_a_file_that_was_moved_on_is_told_where_it_was(home: Path, simulator: Elsewhere):
    with House(home, simulator.url, recheck=SOON).running() as house:
        house.drop("tool.exe", CONTENT)
        house.drop("edited.exe", CONTENT + b"2")
        rows = house.until_ended("tool.exe", "edited.exe")
        os.rename(rows[b"tool.exe"].destination, house.home / "elsewhere.exe")
        (house.released / "edited.exe").write_bytes(b"other bytes")
        simulator.add(malicious(CONTENT), malicious(CONTENT + b"2"))
        assert f"{house.released}/tool.exe before that was known, and has left" in (
            house.until_said("again", "tool.exe")
        )
        assert "and changed since" in house.until_said("again", "edited.exe")
        assert (house.home / "elsewhere.exe").read_bytes() == CONTENT
        assert (house.released / "edited.exe").read_bytes() == b"other bytes"

        def told() -> list[str]:
            return [each for each in status(house)["problems"] if "Look for it" in each]

        assert len(wait_for("status tells of both", lambda: len(told()) == 2 and told())) == 2
        assert "what was put there has left" in (house.rows("tool.exe")[0].reason or "")
        assert {row.state for row in house.rows()} == {State.RELEASED}


def test_a_file_that_was_stopped_as_unknown_is_known_as_clean_and_can_be_restored(
    home: Path, simulator: Elsewhere
):
    with House(home, simulator.url, recheck=SOON, mode="stop-unknowns").running() as house:
        house.drop("new.exe", CONTENT)
        row = house.until("new.exe", State.QUARANTINED)
        simulator.add(clean(CONTENT))
        command = f"quarantine restore {row.id}"
        assert f"`checkfirst {command}` gives it back" in house.until_said("again", "new.exe")
        says(house, *command.split())
        assert (house.released / "new.exe").read_bytes() == CONTENT


def test_it_is_restored_by_itself_where_that_is_wished_and_taken_back_if_need_be(
    home: Path, simulator: Elsewhere
):
    again = {**SOON, "restore": True}
    with House(home, simulator.url, recheck=again, mode="stop-unknowns").running() as house:
        house.drop("new.exe", CONTENT)
        house.until("new.exe", State.QUARANTINED)
        simulator.add(clean(CONTENT))
        row = house.until("new.exe", State.RESTORED)
        assert row.destination == os.fsencode(house.released / "new.exe")
        assert "is now in" in house.until_said("again", "new.exe")
        simulator.add(malicious(CONTENT))
        taken = house.until("new.exe", State.QUARANTINED)
        assert taken.id > row.id
        assert not (house.released / "new.exe").exists()


def test_it_is_not_restored_by_itself_while_a_list_blocks_its_md5(home: Path, simulator: Elsewhere):
    again = {**SOON, "restore": True}
    house = House(home, simulator.url, recheck=again, mode="stop-unknowns")
    with house.running():
        house.drop("new.exe", CONTENT)
        house.drop("other.exe", CONTENT + b"2")
        row = house.until_ended("new.exe", "other.exe")[b"new.exe"]
    # A running daemon may ask once more before it knows of the block.
    says(house, "block", "add", hashlib.md5(CONTENT).hexdigest())
    simulator.add(clean(CONTENT), clean(CONTENT + b"2"))

    def asked() -> int:
        return len([one for one in simulator.requests if str(row.sha256) in one.path])

    before = asked()
    with house.running():
        house.until("other.exe", State.RESTORED)
        assert house.until("new.exe", State.QUARANTINED).id == row.id
        payload = Path(os.fsdecode(row.destination or b""), "payload.quarantined")
        assert payload.stat().st_mode & 0o777 == 0
        assert not (house.released / "new.exe").exists()
        assert asked() == before


def test_what_a_person_let_go_is_not_looked_at_again(home: Path, simulator: Elsewhere):
    with House(home, simulator.url, recheck=SOON, mode="stop-unknowns").running() as house:
        house.drop("mine.exe", CONTENT)
        row = house.until("mine.exe", State.QUARANTINED)
        says(house, "quarantine", "restore", str(row.id))
        simulator.add(malicious(CONTENT))
        house.drop("witness.exe", b"another that nobody knows")
        house.until("witness.exe", State.QUARANTINED)
        house.until_said("asked", "once more about witness.exe")
        before = len(simulator.requests)
        wait_for("two more looks", lambda: len(simulator.requests) > before + 1)
        assert (house.released / "mine.exe").read_bytes() == CONTENT
        assert house.until("mine.exe", State.RESTORED).id == row.id


def test_for_0s_nothing_is_looked_at_again(home: Path, simulator: Elsewhere):
    with House(home, simulator.url, recheck={"for": "0s", "every": "1s"}).running() as house:
        house.drop("tool.exe", CONTENT)
        house.until("tool.exe", State.RELEASED)
        simulator.add(malicious(CONTENT))
        time.sleep(4)  # there is nothing to wait for
        assert len(simulator.requests) == 1
        assert (house.released / "tool.exe").read_bytes() == CONTENT


def test_a_young_report_is_looked_at_again_and_an_old_one_is_not(home: Path, simulator: Elsewhere):
    name, young, old = b"new\n\xff [b].exe", b"MZ young", b"MZ old"
    now = int(time.time())
    simulator.add(replace(clean(young), first_submission_date=now - 3600))
    simulator.add(replace(clean(old), first_submission_date=now - 30 * 86_400))
    again = {"for": "2h", "every": "1s"}
    with House(home, simulator.url, recheck=again, link_back=True).running() as house:
        house.drop(name, young)
        house.drop("old.exe", old)
        house.until_ended(name, "old.exe")
        house.until_said("asked", "once more about new\\x0a\\xff [b].exe")
        simulator.add(malicious(young), malicious(old))
        row = house.until(name, State.QUARANTINED)
        assert row.name == name
        wait_for("its link has gone", lambda: house.below_downloads() == {b"old.exe"})
        assert (house.released / "old.exe").read_bytes() == old
        asked = [hashlib.sha256(old).hexdigest() in each.path for each in simulator.requests]
        assert sum(asked) == 1


def test_what_check_has_learned_is_acted_on_without_another_request(
    home: Path, simulator: Elsewhere
):
    again, remember = {"for": "1d", "every": "1h"}, {"unknown": "0s"}
    with House(home, simulator.url, recheck=again, remember=remember).running() as house:
        house.drop("tool.exe", CONTENT)
        house.until("tool.exe", State.RELEASED)
        simulator.add(malicious(CONTENT))
        copy = house.drop("copy.exe", CONTENT, house.home)
        says(house, "check", str(copy), code=1)
        house.until("tool.exe", State.QUARANTINED)
        assert copy.exists()
        assert len(simulator.requests) == 2


def test_a_file_that_was_released_to_another_filesystem_is_taken_back(
    home: Path, simulator: Elsewhere, tmp_path: Path
):
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one filesystem")
    with tempfile.TemporaryDirectory(dir=elsewhere) as folder:
        changes = {"recheck": SOON, "released": folder}
        with House(home, simulator.url, **changes).running() as house:
            house.drop("tool.exe", CONTENT)
            house.until("tool.exe", State.RELEASED)
            assert Path(folder, "tool.exe").read_bytes() == CONTENT
            simulator.add(malicious(CONTENT))
            house.until("tool.exe", State.QUARANTINED)
            assert not Path(folder, "tool.exe").exists()
            (kept,) = house.quarantine.iterdir()
            assert (kept / "payload.quarantined").stat().st_size == len(CONTENT)


def status(house: House) -> dict[str, Any]:
    done = subprocess.run(
        [*house.command[:-1], "status", "--json"],
        env=house.environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
