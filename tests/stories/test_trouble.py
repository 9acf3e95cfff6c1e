"""VirusTotal refuses, throttles, or is asked for more than it gives: files wait and are told of."""

import json
import os
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator import faults
from checkfirst.simulator.known import clean
from checkfirst.simulator.quota import Account, Limits
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import Elsewhere, simulator_in_thread
from tests.stories.house import KEY, WAITING, House, wait_for
from tests.stories.test_deeds import says
from tests.stories.test_second_look import status

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

LONG = {"first": "1h", "at_most": "2h"}


def keys(simulator: Elsewhere, *names: str) -> None:
    """VirusTotal takes these keys from now on, and no other."""

    def deed(served: Simulator) -> None:
        served.accounts.clear()
        served.accounts.update({name: Account(name, Limits(0, 0, 0)) for name in names})

    simulator.do(deed)


class KeyInAFile(House):
    """The key stands in a file that the settings name."""

    def __init__(self, home: Path, url: str, **changes: object) -> None:
        super().__init__(home, url, **changes)
        self.key = home / "key"
        self.change(virustotal={"api_key_file": str(self.key)})

    def set_key(self, text: str) -> None:
        self.key.write_text(text)
        self.key.chmod(0o600)

    @property
    def environment(self) -> dict[str, str]:
        kept = super().environment
        del kept["CHECKFIRST_VIRUSTOTAL__API_KEY"]
        return kept


def test_a_refused_key_is_one_problem_and_files_go_on_by_themselves_when_it_works(
    home: Path, simulator: Elsewhere
):
    keys(simulator, "another")
    simulator.behave(echoes_wrong_key=True)
    simulator.add(clean(b"one"), clean(b"two"))
    with House(home, simulator.url).running() as house:
        house.drop("one", b"one")
        house.until_waits("one", "the API key was refused")
        house.drop("two", b"two")
        house.until("two", *WAITING)
        (problem,) = status(house)["problems"]
        assert "checkfirst key set" in problem
        wait_for("more tries", lambda: len(simulator.requests) > 3)
        house.until_said("problem", "refused")
        assert len([line for line in house.log("problem") if "refused" in line]) == 1
        assert f": {KEY}" not in house.everything_said()
        keys(simulator, KEY)
        house.until_ended("one", "two")
        assert {row.state for row in house.rows()} == {State.RELEASED}
        wait_for("no problem is left", lambda: status(house)["problems"] == [])


def test_what_a_wrong_address_calls_not_found_is_not_unknown(home: Path, simulator: Elsewhere):
    right, wrong = simulator.url, simulator.url.removesuffix("/v3")
    with House(home, wrong).running() as house:
        house.drop("one", b"one")
        house.until_waits("one", "without naming the file")
        wait_for("more tries", lambda: len(simulator.requests) > 3)
        (problem,) = status(house)["problems"]
        assert "virustotal.url" in problem
        house.until_said("problem", "")
        assert len(house.log("problem")) == 1
        assert [row.state for row in house.rows("one")] == [State.WAITING]
        house.change(virustotal={"url": right})
        house.hang_up()
        assert house.until_ended("one")[b"one"].verdict == "unknown"
        wait_for("no problem is left", lambda: status(house)["problems"] == [])


def test_a_watched_folder_whose_files_cannot_be_held_is_a_problem_until_they_can(
    home: Path, simulator: Elsewhere
):
    simulator.add(clean(b"one"))
    house = House(home, simulator.url)
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    house.state.mkdir(mode=0o700)
    (house.state / "held").symlink_to(elsewhere)
    with house.running():
        told = status(house)
        assert told["state"] == "degraded"
        (problem,) = told["problems"]
        assert str(house.state / "held") in problem
        assert len([line for line in house.log("problem") if "held" in line]) == 1
        (house.state / "held").unlink()
        wait_for("no problem is left", lambda: status(house)["problems"] == [])
        house.drop("one", b"one")
        house.until("one", State.RELEASED)


def test_a_new_key_is_used_at_once_after_a_hang_up(home: Path, simulator: Elsewhere):
    keys(simulator, "new-key")
    simulator.add(clean(b"one"))
    house = KeyInAFile(home, simulator.url, virustotal={"pause": LONG})
    house.set_key("old-key")
    with house.running():
        house.drop("one", b"one")
        house.until_waits("one", "the API key was refused")
        assert len(simulator.requests) == 1
        house.set_key("new-key")
        house.hang_up()
        house.until("one", State.RELEASED)
    assert [request.key for request in simulator.requests] == ["old-key", "new-key"]


def test_a_429_that_our_own_count_did_not_expect_is_backed_off_from_for_long(
    home: Path, simulator: Elsewhere
):
    simulator.add(clean(b"one"), clean(b"two"))
    simulator.fail_always(faults.error("QuotaExceededError"))
    limits = {"per_minute": 4, "per_day": 500, "per_month": 15_500, "pause": LONG}
    with House(home, simulator.url, virustotal=limits).running() as house:
        house.drop("one", b"one")
        house.until_waits("one", "refuses more requests")
        house.drop("two", b"two")
        house.until_waits("two", "refuses more requests")
        told = status(house)
        assert "Something else may use the same key" in told["problems"][0]
        assert len(told["waiting"]) == 2
        for each in told["waiting"]:
            assert "refuses more requests" in each["reason"]
            assert each["until"] is not None
        assert told["quota"]["minute"]["used"] == 1
        for row in house.rows():
            assert row.held is not None
            assert Path(os.fsdecode(row.held)).read_bytes() == row.name
        assert len(simulator.requests) == 1
        simulator.heal()
        house.hang_up()
        house.until_ended("one", "two")


def test_under_scarcity_each_file_is_told_its_place_and_time(home: Path):
    contents = [b"\xff\xd8\xff\xe0\x00\x10JFIF photo", b"report", b"MZ tool", b"first"]
    names = ["photo.jpg", "report.pdf", "tool.exe", "first.txt"]
    served = Simulator(
        known=[clean(content) for content in contents], keys={KEY: Account("ann", Limits(0, 0, 0))}
    )
    with (
        simulator_in_thread(served) as simulator,
        House(home, simulator.url, virustotal={"per_minute": 1}).running() as house,
    ):
        house.drop(names[3], contents[3])
        house.until(names[3], State.RELEASED)
        for name, content in zip(names[:3], contents[:3], strict=True):
            house.drop(name, content)
            house.until(name, *WAITING)
        reasons = {
            "tool.exe": "waiting for its turn to be looked up at VirusTotal",
            "report.pdf": "waiting for its turn to be looked up at VirusTotal (1 before it)",
            "photo.jpg": "waiting for its turn to be looked up at VirusTotal (2 before it)",
        }
        wait_for(
            "the place of each",
            lambda: {each["name"]: each["reason"] for each in status(house)["waiting"]} == reasons,
        )
        until = {each["name"]: each["until"] for each in status(house)["waiting"]}
        assert until["tool.exe"] < until["report.pdf"] < until["photo.jpg"]
        told = says(house, "why", "photo.jpg")
        assert "(2 before it)" in told
        (row,) = json.loads(says(house, "why", "photo.jpg", "--json"))
        assert row["until"] == until["photo.jpg"]
