"""What a person does beside the running daemon: look, restore, delete, release, take."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.corpus import EICAR
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import WAITING, House

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

NOWHERE = "http://127.0.0.1:9/api/v3"


def says(house: House, *words: str, code: int = 0) -> str:
    """Run a command on this house; its exit code must be this one."""
    done = subprocess.run(
        [*house.command[:-1], *words],
        env=house.environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_a_quarantined_file_is_shown_restored_and_not_taken_again(home: Path, simulator: Elsewhere):
    content = b"a false alarm"
    simulator.add(malicious(content, detections=1))
    with House(home, simulator.url).running() as house:
        house.drop("[red]tool[bold].exe", content)
        row = house.until("[red]tool[bold].exe", State.QUARANTINED)
        (listed,) = json.loads(says(house, "quarantine", "list", "--json"))
        assert (listed["id"], listed["name"], listed["detections"]) == (
            str(row.id),
            "[red]tool[bold].exe",
            1,
        )
        assert "[red]tool[bold].exe" in says(house, "quarantine", "list")
        assert f"checkfirst quarantine restore {row.id}" in says(house, "quarantine", "show", "1")
        refused = says(
            house, "quarantine", "restore", str(row.id), "--to", str(house.downloads), code=3
        )
        assert "watched folder" in refused

        (house.released / "[red]tool[bold].exe").write_bytes(b"mine")
        says(house, "quarantine", "restore", row.sha256[:8])
        assert (house.released / "[red]tool[bold].exe").read_bytes() == b"mine"
        assert (house.released / "[red]tool[bold] (1).exe").read_bytes() == content
        assert "given back by hand" in says(house, "log", "--file", "[red]tool[bold].exe")
        assert os.listdir(house.quarantine) == []
        assert house.rows()[-1].state is State.RESTORED

        house.drop("again.exe", content)
        assert "you restored it" in (house.until("again.exe", State.RELEASED).reason or "")


def test_deleting_asks_and_is_for_good(home: Path, simulator: Elsewhere):
    with House(home, simulator.url, mode="stop-unknowns").running() as house:
        house.drop("eicar.com", EICAR)
        house.drop("other.bin", b"never seen")
        house.until_ended("eicar.com", "other.bin")
        assert "--yes" in says(house, "quarantine", "delete", "eicar.com", code=3)
        assert len(os.listdir(house.quarantine)) == 2
        says(house, "quarantine", "delete", "*", "--yes")
        assert os.listdir(house.quarantine) == []
        assert {row.state for row in house.rows()} == {State.DELETED}
        assert "deleted      eicar.com, by hand" in says(house, "log", "--file", "eicar.com")
        assert "There is no such file" in says(house, "quarantine", "show", "eicar.com", code=3)


def test_a_held_file_goes_on_the_persons_own_responsibility(home: Path):
    with House(home, NOWHERE).running() as house:
        house.drop("urgent.pdf", b"%PDF-1.4 urgent")
        house.until("urgent.pdf", *WAITING)
        assert "--yes" in says(house, "release", "urgent.pdf", code=3)
        assert "urgent.pdf" in says(house, "release", "urgent.pdf", "--yes")
        row = house.rows("urgent.pdf")[-1]
        assert row.state is State.RELEASED
        assert "by hand" in (row.reason or "")
        told = says(house, "log", "--file", "urgent.pdf")
        assert f"released     urgent.pdf -> {house.released}/urgent.pdf: released by hand" in told
        assert (house.released / "urgent.pdf").read_bytes() == b"%PDF-1.4 urgent"
        house.drop("copy.pdf", b"%PDF-1.4 urgent")
        assert "own responsibility" in (house.until("copy.pdf", State.RELEASED).reason or "")


def test_files_from_before_are_taken_when_they_are_asked_for(home: Path, simulator: Elsewhere):
    simulator.add(clean(b"old"))
    house = House(home, simulator.url)
    old = house.drop("old.txt", b"old")
    assert "does not run" in says(house, "take", str(old), code=3)
    with house.running():
        assert "old.txt" in says(house, "take", str(old))
        house.until("old.txt", State.RELEASED)
        assert not old.exists()
        assert "regular files" in says(house, "take", str(house.downloads), code=3)


def test_status_history_and_why_tell_the_same_story(home: Path, simulator: Elsewhere):
    house = House(home, simulator.url)
    assert json.loads(says(house, "status", "--json", code=3))["state"] == "stopped"
    with house.running():
        house.drop("eicar.com", EICAR)
        house.until("eicar.com", State.QUARANTINED)
        house.until_said("quarantined", "eicar.com")
        status = json.loads(says(house, "status", "--json", "--wait"))
        assert (status["state"], status["pid"]) == ("running", house.pid)
        assert status["counts"] == {"held": 0, "waiting": 0, "released": 0, "quarantined": 1}
        (row,) = json.loads(says(house, "history", "--json"))
        assert (row["verdict"], row["state"]) == ("malicious", "quarantined")
        assert "62 of" in says(house, "why", "eicar.com")
        assert "quarantined" in says(house, "log", "-n", "5")


def test_what_lies_in_the_quarantine_too_long_is_deleted_and_said(home: Path, simulator: Elsewhere):
    content = b"an old sinner"
    simulator.add(malicious(content, detections=9))
    house = House(home, simulator.url, retention={"quarantine": "1s"})
    with house.running():
        house.drop("old.exe", content)
        row = house.until("old.exe", State.QUARANTINED, State.DELETED)
    with house.running():  # it looks soon after its start
        house.until_said("deleted", "old.exe")  # the row is first, its folder goes after
        assert os.listdir(house.quarantine) == []
        assert house.until("old.exe", State.DELETED).id == row.id
        assert "deleted" in says(house, "log", "--file", "old.exe")
        assert "deleted" in says(house, "why", str(row.id))
