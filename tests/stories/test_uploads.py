"""What leaves the machine, as told from outside."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.behaviour import FirstAnalysis, Latency
from checkfirst.simulator.corpus import MARKER
from checkfirst.simulator.plan import Exchange
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import House, not_at_midnight, wait_for
from tests.stories.test_deeds import says

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

CONTENT = b"MZ nobody has ever seen this " + MARKER
PATIENT = {"timeout": "2m"}


async def silence(exchange: Exchange) -> None:
    """What was sent is taken in, and whoever sent it hears nothing."""
    await exchange.answer()
    await asyncio.Event().wait()


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


GO_ON = {"submit": True, "wait": False}
QUOTA_SPENT = {"per_day": 1}
"""The look-up takes it, and the upload has to wait."""


ENDS = [pytest.param(House.stop, id="stopped"), pytest.param(House.kill, id="killed")]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("mode", ["normal", "stop-unknowns"])
def test_an_upload_still_to_come_is_made_up_for_after_a_restart(
    home: Path, simulator: Elsewhere, mode: str, end: Callable[[House], object]
):
    simulator.behave(queued_seconds=3600.0, first_analysis=FirstAnalysis.NOT_FOUND)
    not_at_midnight()
    house = House(home, simulator.url, mode=mode, unknowns=GO_ON, virustotal=QUOTA_SPENT)
    with house.running():
        house.drop("new.exe", CONTENT)
        row = house.until_ended("new.exe")[b"new.exe"]
        end(house)
        assert simulator.uploads == []
        assert "[]" in says(house, "history", "--submitted", "--json")
        house.change(virustotal={"per_day": 0})
        house.start()
        house.until_said("goes on", "new.exe is still to be submitted")
        house.until_said("submitted", "new.exe")
        wait_for("its row says that it left", lambda: house.rows("new.exe")[0].submitted_at)
        (sent,) = json.loads(says(house, "history", "--submitted", "--json"))
        assert sent["name"] == "new.exe"
        house.stop()
        house.start()
        house.drop("later.exe", CONTENT)
        house.until_ended("later.exe")
    (upload,) = simulator.uploads
    assert upload.sha256 == row.sha256
    if mode == "stop-unknowns":
        assert row.destination is not None
        payload = Path(row.destination.decode()) / "payload.quarantined"
        assert payload.stat().st_mode & 0o777 == 0


def test_an_upload_still_to_come_outlives_a_reading_of_the_settings(
    home: Path, simulator: Elsewhere
):
    simulator.behave(queued_seconds=3600.0, first_analysis=FirstAnalysis.NOT_FOUND)
    not_at_midnight()
    house = House(home, simulator.url, unknowns=GO_ON, virustotal=QUOTA_SPENT)
    with house.running():
        house.drop("new.exe", CONTENT)
        house.until_ended("new.exe")
        house.change(virustotal={"per_day": 0})
        house.hang_up()
        house.until_said("submitted", "new.exe")
    assert len(simulator.uploads) == 1


def moved(house: House) -> None:
    (house.released / "new.exe").rename(house.home / "new.exe")


def changed(house: House) -> None:
    (house.released / "new.exe").write_bytes(CONTENT[::-1])


def turned_off(house: House) -> None:
    house.change(unknowns={"submit": False})


def other_types(house: House) -> None:
    house.change(unknowns={"submit_types": ["archive"]})


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        (moved, "it is not where it was put any more"),
        (changed, "it was changed since"),
        (turned_off, "the settings do not ask for it any more"),
        (other_types, "the settings do not ask for it any more"),
    ],
)
def test_what_is_not_to_be_had_or_not_wanted_any_more_is_not_made_up_for(
    home: Path, simulator: Elsewhere, deed: Callable[[House], None], words: str
):
    not_at_midnight()
    house = House(home, simulator.url, unknowns=GO_ON, virustotal=QUOTA_SPENT)
    with house.running():
        house.drop("new.exe", CONTENT)
        house.until_ended("new.exe")
        house.kill()
        deed(house)
        house.change(virustotal={"per_day": 0})
        house.start()
        house.until_said("not sent", words)
        house.change(unknowns=GO_ON | {"submit_types": ["program"]})
        house.stop()
        house.start()
        house.drop("other.exe", CONTENT + b"!")
        house.until_said("submitted", "other.exe")
        assert len(house.log("not sent")) == 1
    assert len(simulator.uploads) == 1


@pytest.mark.parametrize("wait", [True, False])
def test_an_upload_that_arrived_though_it_was_cut_off_is_not_sent_again(
    home: Path, simulator: Elsewhere, wait: bool
):
    """It is unknown for a while all the same, and less than a poll later it is known."""
    simulator.behave(
        queued_seconds=1.0,
        in_progress_seconds=1.0,
        first_analysis=FirstAnalysis.NOT_FOUND,
    )
    simulator.do(lambda there: there.faults.always(silence, method="POST"))
    late = {"first": "4s", "at_most": "4s"}
    unknowns = {"submit": True, "wait": wait}
    house = House(home, simulator.url, unknowns=unknowns, virustotal=PATIENT, poll=late)
    with house.running():
        house.drop("new.exe", CONTENT)
        wait_for("it has arrived", lambda: simulator.uploads)
        house.kill()
        simulator.heal()
        house.start()
        if wait:
            assert house.until_ended("new.exe")[b"new.exe"].state is State.QUARANTINED
        house.until_said("submitted", "new.exe")
        (sent,) = json.loads(says(house, "history", "--submitted", "--json"))
        assert sent["name"] == "new.exe"
    assert len(simulator.uploads) == 1


@pytest.mark.parametrize("wait", [True, False])
def test_an_upload_that_was_cut_off_and_stays_unknown_is_sent_again(
    home: Path, simulator: Elsewhere, wait: bool
):
    simulator.behave(
        queued_seconds=3600.0,
        first_analysis=FirstAnalysis.NOT_FOUND,
    )
    simulator.do(lambda there: there.faults.always(silence, method="POST"))
    unknowns = {"submit": True, "wait": wait}
    house = House(home, simulator.url, unknowns=unknowns, virustotal=PATIENT)
    with house.running():
        house.drop("new.exe", CONTENT)
        wait_for("it has arrived", lambda: simulator.uploads)
        house.kill()
        simulator.heal()
        house.start()
        house.until_said("submitted", "new.exe")
        wait_for("its row says that it left", lambda: house.rows("new.exe")[0].submitted_at)
    methods = [each.method for each in simulator.requests]
    assert methods[:5] == ["GET", "POST", "GET", "GET", "POST"]
    assert "POST" not in methods[5:], "it is polled at most"


def submitting(house: House, path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*house.command[:-1], "check", "--submit-unknowns", str(path)],
        env=house.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def test_two_checks_at_once_upload_a_file_once(home: Path, simulator: Elsewhere):
    slow = Latency(back=(3.0, 3.0))
    simulator.behave(queued_seconds=3600.0, first_analysis=FirstAnalysis.NOT_FOUND, latency=slow)
    house = House(home, simulator.url)
    path = house.drop("new.exe", CONTENT, house.home)
    checks = [submitting(house, path) for _ in range(2)]
    for each in checks:
        said, _ = each.communicate(timeout=60)
        assert (each.returncode, "never seen" in said) == (0, True), said
    assert [each.path for each in simulator.requests if each.method == "POST"] == ["/api/v3/files"]


@pytest.mark.parametrize("wait", [True, False])
def test_the_daemon_and_a_check_at_once_upload_a_file_once(
    home: Path, simulator: Elsewhere, wait: bool
):
    slow = Latency(back=(3.0, 3.0))
    simulator.behave(queued_seconds=0.0, in_progress_seconds=0.0, latency=slow)
    house = House(home, simulator.url, unknowns={"submit": True, "wait": wait})
    copy = house.drop("copy.exe", CONTENT, house.home)
    with house.running():
        house.drop("new.exe", CONTENT)
        check = submitting(house, copy)
        check.communicate(timeout=60)
        house.until("new.exe", State.QUARANTINED if wait else State.RELEASED)
        wait_for("its row says that it left", lambda: house.rows("new.exe")[0].submitted_at)
    assert [each.method for each in simulator.requests].count("POST") == 1
