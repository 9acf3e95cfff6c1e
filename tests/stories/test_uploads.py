"""What leaves the machine, as told from outside."""

import json
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.behaviour import FirstAnalysis
from checkfirst.simulator.corpus import MARKER
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import House, wait_for
from tests.stories.test_deeds import says

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

CONTENT = b"MZ nobody has ever seen this " + MARKER


def test_without_waiting_it_is_let_go_uploaded_listed_and_taken_back_later(
    home: Path, simulator: Elsewhere
):
    simulator.behave(queued_seconds=1.0, in_progress_seconds=1.0)
    unknowns = {"submit": True, "wait": False}
    again = {"for": "1h", "every": "1s"}
    with House(home, simulator.url, unknowns=unknowns, recheck=again).running() as house:
        house.drop("new.exe", CONTENT)
        first = house.until("new.exe", State.RELEASED)
        wait_for("its row says that it left", lambda: house.rows("new.exe")[0].submitted_at)
        (sent,) = json.loads(says(house, "history", "--submitted", "--json"))
        assert (sent["id"], sent["name"]) == (str(first.id), "new.exe")
        assert sent["submitted_at"]
        house.until("new.exe", State.QUARANTINED)
        assert len(simulator.uploads) == 1


def test_a_check_that_does_not_wait_does_not_end_the_daemons_wait(home: Path, simulator: Elsewhere):
    simulator.behave(queued_seconds=3600.0, first_analysis=FirstAnalysis.NOT_FOUND)
    house = House(home, simulator.url, unknowns={"submit": True})
    with house.running():
        house.drop("new.exe", CONTENT)
        house.until_waits("new.exe", "analysed")
        copy = house.drop("copy.exe", CONTENT, house.home)
        assert "submitted lately" in says(house, "check", "--submit-unknowns", str(copy))
    with house.running():
        house.until_waits("new.exe", "analysed")
        assert house.rows("new.exe")[0].state is State.WAITING
    assert len(simulator.uploads) == 1


def test_that_somebody_asked_before_who_does_not_upload_keeps_nothing_from_being_uploaded(
    home: Path, simulator: Elsewhere
):
    simulator.behave(queued_seconds=0.0, in_progress_seconds=0.0)
    with House(home, simulator.url, unknowns={"submit": True}).running() as house:
        copy = house.drop("copy.exe", CONTENT, house.home)
        assert "never seen" in says(house, "check", str(copy))
        house.drop("new.exe", CONTENT)
        house.until("new.exe", State.QUARANTINED)
    assert len(simulator.uploads) == 1
