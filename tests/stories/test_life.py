"""Starting, stopping, changing the settings, and what is no download at all."""

import os
import subprocess
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import clean
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import WAITING, House, wait_for

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

NOWHERE = "http://127.0.0.1:9/api/v3"


def test_waiting_files_are_resumed_by_the_next_daemon(home: Path, simulator: Elsewhere):
    simulator.add(clean(b"patient"))
    house = House(home, NOWHERE)
    with house.running():
        house.drop("patient", b"patient")
        house.until_waits("patient", "cannot be reached")
    assert house.rows("patient")[-1].state in WAITING

    house.change(virustotal={"url": simulator.url})
    with house.running():
        house.until("patient", State.RELEASED)
    assert (house.released / "patient").read_bytes() == b"patient"
    assert len(house.rows()) == 1


def test_a_hang_up_reads_the_settings_and_keeps_the_old_ones_when_they_are_broken(
    home: Path, simulator: Elsewhere
):
    with House(home, simulator.url).running() as house:
        house.change(mode="stop-unknowns")
        house.hang_up()
        house.until_said("watching", "mode stop-unknowns")
        house.drop("one", b"one")
        house.until("one", State.QUARANTINED)

        house.file.write_text("mode: [")
        house.hang_up()
        house.until_said("problem", "the settings stay as they were")
        house.drop("two", b"two")
        house.until("two", State.QUARANTINED)


def test_a_second_daemon_is_refused_and_told_who_the_first_is(home: Path, simulator: Elsewhere):
    with House(home, simulator.url).running() as house:
        second = subprocess.run(
            house.command,
            env=house.environment,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        assert second.returncode == 3
        assert f"process {house.pid}" in second.stderr


def test_stopping_does_not_wait_for_a_large_file(home: Path, simulator: Elsewhere):
    size = 64 * 2**30
    with House(home, simulator.url).running() as house:
        with open(house.downloads / "large", "wb") as file:
            file.truncate(size)
        house.until("large", State.HOLDING, State.HELD)
        assert house.stop() < 10
    places = [path for path in home.rglob("large") if path.stat().st_size == size]
    assert len(places) == 1


def test_a_database_that_is_removed_meanwhile_is_told_of_and_made_anew_at_the_next_start(
    home: Path, simulator: Elsewhere
):
    with House(home, simulator.url).running() as house:
        for path in house.state.glob("checkfirst.sqlite*"):
            path.unlink()
        told = house.until_said("problem", "The database was removed while checkfirst runs")
        assert "Restart checkfirst" in told
        wait_for("status tells it", lambda: house.snapshot().problems)
        house.stop()
        house.start()
        house.drop("one", b"one")
        house.until("one", State.RELEASED)
        assert house.snapshot().problems == ()


@pytest.mark.parametrize(("existing", "stays"), [("leave", True), ("take", False)])
def test_files_from_before_the_first_start(
    home: Path, simulator: Elsewhere, existing: str, stays: bool
):
    house = House(home, simulator.url, intake={"existing": existing})
    old = house.drop("old", b"old")
    with house.running():
        house.drop("new", b"new")
        house.until("new", State.RELEASED)
        if not stays:
            house.until("old", State.RELEASED)
        assert old.exists() is stays


def test_copies_cost_one_request(home: Path, simulator: Elsewhere):
    simulator.add(clean(b"same"))
    with House(home, simulator.url).running() as house:
        names = [f"copy {n}" for n in range(20)]
        for name in names:
            house.drop(name, b"same")
        house.until_ended(*names)
        assert len(simulator.requests) == 1


def test_a_burst_ends_whole(home: Path, simulator: Elsewhere):
    with House(home, simulator.url).running() as house:
        files = {f"file {n}": b"content %d" % (n % 100) for n in range(500)}
        for name, content in files.items():
            house.drop(name, content)
        house.until_ended(*files, seconds=18)
        assert all((house.released / name).read_bytes() == files[name] for name in files)
        assert len(house.rows()) == len(files)
        assert len(simulator.requests) == 100


def test_what_is_no_finished_file_is_left_alone(home: Path, simulator: Elsewhere):
    with House(home, simulator.url, link_back=True).running() as house:
        house.drop("empty", b"")
        os.mkfifo(house.downloads / "fifo")
        (house.downloads / "folder").mkdir()
        (house.downloads / "link").symlink_to("/etc/passwd")
        with (house.downloads / "writing").open("wb", buffering=0) as file:
            file.write(b"half ")
            house.drop("plain", b"plain")
            house.until("plain", State.RELEASED)
            left = {b"empty", b"fifo", b"folder", b"link", b"writing"}
            assert house.below_downloads() == left | {b"plain"}
            assert (house.downloads / "plain").readlink() == house.released / "plain"
            file.write(b"whole")
        house.drop("empty", b"grown")
        house.until_ended("writing", "empty")
        assert (house.released / "writing").read_bytes() == b"half whole"
        assert (house.released / "empty").read_bytes() == b"grown"
        assert {row.name for row in house.rows()} == {b"plain", b"writing", b"empty"}


def test_hostile_names_survive_and_forge_no_line(home: Path, simulator: Elsewhere):
    names = [b"line\nfeed", b"esc\x1b[31m", "\u202egnp.exe".encode(), b"\xff\xfe.bin", b"-rf", b" "]
    with House(home, simulator.url).running() as house:
        for name in names:
            house.drop(name, name)
        house.until_ended(*names)
        for name in names:
            with open(os.path.join(os.fsencode(house.released), name), "rb") as file:
                assert file.read() == name
        assert all(line.isprintable() for line in house.log())
