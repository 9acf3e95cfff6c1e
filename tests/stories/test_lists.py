"""The person's own lists beside the running daemon."""

import hashlib
import json
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import WAITING, House, not_at_midnight, wait_for
from tests.stories.test_deeds import NOWHERE, says

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_what_a_person_says_counts_at_once_for_what_comes_and_what_waits(home: Path):
    with House(home, NOWHERE).running() as house:
        for name in ("good", "bad", "worse", "worst"):
            house.drop(f"{name}.bin", name.encode())
        for name in ("good", "bad", "worse", "worst"):
            house.until(f"{name}.bin", *WAITING)
        assert "is decided now" in says(house, "allow", "add", sha(b"good"), "--note", "my tool")
        says(house, "block", "add", sha(b"bad"))
        says(house, "block", "add", hashlib.md5(b"worse").hexdigest())
        says(house, "block", "add", hashlib.sha1(b"worst").hexdigest())
        assert "(my tool)" in (house.until("good.bin", State.RELEASED).reason or "")
        for name in ("bad", "worse", "worst"):
            row = house.until(f"{name}.bin", State.QUARANTINED)
            assert (row.source, row.reason) == ("lists", "on your block list")
        for name, end in (("good", State.RELEASED), ("bad", State.QUARANTINED)):
            house.drop(f"{name} again.bin", name.encode())
            house.until(f"{name} again.bin", end)
        house.drop("worse again.bin", b"worse")
        house.until("worse again.bin", State.QUARANTINED)
        wait_for("nobody else is asked", lambda: house.snapshot().outlook == ())


def test_a_question_that_a_list_answers_costs_no_request(home: Path, simulator: Elsewhere):
    not_at_midnight()
    with House(home, simulator.url, virustotal={"per_day": 1}).running() as house:
        house.drop("first.bin", b"first")
        house.until("first.bin", State.RELEASED)
        house.drop("second.bin", b"second")
        house.until_waits("second.bin", "quota")
        says(house, "block", "add", str(house.rows("second.bin")[-1].sha256))
        house.until("second.bin", State.QUARANTINED)
        wait_for("nothing is asked", lambda: house.snapshot().outlook == ())


def test_files_of_hashes_are_followed_and_broken_lines_told(home: Path, simulator: Elsewhere):
    simulator.add(clean(b"new"), clean(b"old"), malicious(b"mine"))
    block = home.parent / "block.txt"
    block.write_text(f"{sha(b'old')}\n")
    allow = home.parent / "allow.txt"
    allow.write_text(f"{sha(b'mine')}  mine.bin\n")
    lists = {"block": [str(block)], "allow": [str(allow)]}
    with House(home, simulator.url, lists=lists).running() as house:
        house.drop("old.bin", b"old")
        assert str(block) in (house.until("old.bin", State.QUARANTINED).reason or "")
        house.drop("mine.bin", b"mine")
        house.until("mine.bin", State.RELEASED)

        block.write_text(f"{sha(b'old')}\nrubbish\n{hashlib.md5(b'new').hexdigest()}\n")
        house.until_said("problem", f"{block}:2: there is no hash in this line")
        house.drop("new.bin", b"new")
        house.until("new.bin", State.QUARANTINED)
        wait_for("it is told", lambda: not all(each.healthy for each in house.snapshot().sources))
        status = json.loads(says(house, "status", "--json", code=1))
        assert status["state"] == "degraded"
        assert any(f"{block}:2" in each for each in status["problems"])

        block.unlink()
        house.until_said("problem", f"{block}: the list cannot be read")
        house.drop("old again.bin", b"old")
        house.until("old again.bin", State.QUARANTINED)

        block.write_text("")
        wait_for("all is well", lambda: all(each.healthy for each in house.snapshot().sources))
        house.drop("old, thrice.bin", b"old")
        house.until("old, thrice.bin", State.RELEASED)


def test_a_file_of_hashes_decides_what_waits(home: Path):
    block = home.parent / "block.txt"
    block.write_text("")
    with House(home, NOWHERE, lists={"block": [str(block)]}).running() as house:
        house.drop("bad.bin", b"bad")
        house.until("bad.bin", *WAITING)
        block.write_text(f"{sha(b'bad')}\n")
        house.until("bad.bin", State.QUARANTINED)


def test_a_list_that_is_gone_when_the_settings_are_read_again_goes_on_counting(
    home: Path, simulator: Elsewhere
):
    simulator.add(clean(b"bad"))
    block = home.parent / "block.txt"
    block.write_text(f"{sha(b'bad')}\n")
    with House(home, simulator.url, lists={"block": [str(block)]}).running() as house:
        block.unlink()
        house.hang_up()
        house.until_said("problem", "the settings stay as they were")
        house.drop("bad.bin", b"bad")
        row = house.until("bad.bin", State.QUARANTINED)
        assert row.source == "lists"
        assert str(block) in (row.reason or "")
        house.until_said("problem", f"{block}: the list cannot be read")


def write(path: Path, text: str) -> None:
    """In one go: who looks meanwhile sees the old list or the new one, and no empty file."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


def lies_in_quarantine(house: House, name: str, *, after: int) -> None:
    """The file was taken back, under a number of its own."""
    wait_for(f"{name} is taken back", lambda: house.rows(name)[-1].id > after)
    row = house.until(name, State.QUARANTINED)
    assert (row.source, (row.reason or "").startswith("on your block list")) == ("lists", True)
    assert not (house.released / name).exists()


def test_what_was_released_and_is_blocked_since_is_taken_back(home: Path, simulator: Elsewhere):
    block = home.parent / "block.txt"
    block.write_text("")
    names = ("sha256.exe", "md5.exe", "feed.exe", "moved.exe", "mine.exe")
    contents = {name: f"MZ {name}".encode() for name in names}
    simulator.add(*map(clean, contents.values()))
    with House(home, simulator.url, lists={"block": [str(block)]}).running() as house:
        for name, content in contents.items():
            house.drop(name, content)
        ended = house.until_ended(*names)
        assert {row.state for row in ended.values()} == {State.RELEASED}
        last = max(row.id for row in ended.values())
        moved = home.parent / "moved.exe"
        (house.released / "moved.exe").rename(moved)

        said = says(house, "block", "add", sha(contents["sha256.exe"]))
        assert "It is taken into the quarantine now." in said
        lies_in_quarantine(house, "sha256.exe", after=last)
        said = says(house, "block", "add", hashlib.md5(contents["md5.exe"]).hexdigest())
        assert "what was released of late is read for it now" in said
        lies_in_quarantine(house, "md5.exe", after=last)
        write(block, f"{sha(contents['feed.exe'])}\n{sha(contents['moved.exe'])}\n")
        lies_in_quarantine(house, "feed.exe", after=last)
        assert "and has left. Look for it" in house.until_said("again", "moved.exe")
        assert moved.read_bytes() == contents["moved.exe"]
        assert (house.released / "mine.exe").read_bytes() == contents["mine.exe"]

        number = house.rows("feed.exe")[-1].id
        says(house, "quarantine", "restore", str(number))
        write(block, f"{block.read_text()}# another look\n")
        house.drop("witness.exe", contents["feed.exe"] + b"2")
        house.until("witness.exe", State.RELEASED)
        wait_for("the list is read", lambda: len(house.log("settings")) == 2)
        assert house.until("feed.exe", State.RESTORED).id == number
        assert (house.released / "feed.exe").read_bytes() == contents["feed.exe"]
    says(house, "block", "add", sha(contents["mine.exe"]))
    with house.running():
        lies_in_quarantine(house, "mine.exe", after=last)
        assert (house.released / "feed.exe").read_bytes() == contents["feed.exe"]


def test_what_is_blocked_since_is_taken_back_without_virustotal_and_not_where_none_looks_again(
    home: Path,
):
    here = {"sources": ["lists", "remembered"]}
    with House(home, NOWHERE, **here).running() as house:
        house.drop("tool.exe", b"tool")
        first = house.until("tool.exe", State.RELEASED)
        house.change(recheck={"for": "0s"})
        house.hang_up()
        house.until_said("settings", "read anew")
        said = says(house, "block", "add", sha(b"tool"))
        assert f"To have it in the quarantine, move it into {house.downloads}." in said
        house.drop("again.exe", b"tool")
        house.until("again.exe", State.QUARANTINED)
        assert (house.released / "tool.exe").exists()
        house.change(recheck={"for": "2d"})
        house.hang_up()
        lies_in_quarantine(house, "tool.exe", after=first.id + 1)


def test_where_none_looks_again_what_is_blocked_since_is_taken_back_by_moving_it(home: Path):
    with House(home, NOWHERE, sources=["lists"], recheck={"for": "0s"}).running() as house:
        house.drop("tool.exe", b"tool")
        first = house.until("tool.exe", State.RELEASED)
        assert f"move it into {house.downloads}." in says(house, "block", "add", sha(b"tool"))
        (house.released / "tool.exe").rename(house.downloads / "tool.exe")
        lies_in_quarantine(house, "tool.exe", after=first.id)


def test_lists_that_changed_while_nobody_ran_decide_at_the_start(home: Path):
    house = House(home, NOWHERE)
    with house.running():
        house.drop("bad.bin", b"bad")
        house.until("bad.bin", *WAITING)
    assert "when checkfirst runs" in says(house, "block", "add", sha(b"bad"))
    says(house, "block", "add", hashlib.sha1(b"other").hexdigest())
    with house.running():
        house.until("bad.bin", State.QUARANTINED)
