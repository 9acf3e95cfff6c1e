"""SIGTERM and SIGHUP at bad moments: within ten seconds, nothing torn, no signal lost."""

import fcntl
import os
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.settings.places import DATABASE
from checkfirst.simulator import faults
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import WAITING, House, wait_for
from tests.watch.hung import hung

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

NOWHERE = "http://127.0.0.1:9/api/v3"
GIB = 2**30


@contextmanager
def left_alone(house: House) -> Iterator["subprocess.Popen[bytes]"]:
    """The daemon as a mere process, whose end and exit code are the test's own business."""
    with subprocess.Popen(
        house.command,
        env=house.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=house.home,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def only_place_of(house: House, name: str, size: int) -> Path:
    """Where the whole file is; it must be at one place alone."""
    (path,) = [path for path in house.home.rglob(name) if path.stat().st_size == size]
    return path


def waits_for_a_lock(pid: int) -> bool:
    """Those who wait for a lock are listed behind an arrow (proc(5), /proc/locks)."""
    locks = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and str(pid) in line.split() for line in locks)


def sleeps_for_a_lock(pid: int) -> bool:
    """SQLite sleeps between its tries, which no thread does for other reasons (proc(5), wchan)."""
    told = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            told.add((task / "wchan").read_text())
    if told <= {"0"}:
        pytest.skip("the kernel does not tell what a thread waits for")
    return any("nanosleep" in each for each in told)


SLOW_TO_READ = {"allow": [sha256(b"%d" % number).hexdigest() for number in range(10_000)]}
"""Settings that take a second or two to read."""


def test_a_hang_up_on_the_way_up_ends_nothing_and_is_not_lost(home: Path, simulator: Elsewhere):
    """Sent while the program is still being loaded, long before it could read anything anew."""
    house = House(home, simulator.url)
    with left_alone(house) as process:
        maps = Path(f"/proc/{process.pid}/maps")
        wait_for("pydantic is being loaded", lambda: "pydantic_core" in maps.read_text())
        process.send_signal(signal.SIGHUP)
        house.until_said("settings", "read anew")
        wait_for("it watches", lambda: house.log("watching"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.1, 0.7])
def test_a_stop_right_after_a_hang_up_is_not_lost(home: Path, simulator: Elsewhere, pause: float):
    with House(home, simulator.url, lists=SLOW_TO_READ).running() as house:
        house.hang_up()
        time.sleep(pause)
        house.stop()


@pytest.mark.parametrize("pause", [0.05, 0.1, 0.2])
def test_a_hang_up_while_the_settings_are_being_read_is_not_lost(
    home: Path, simulator: Elsewhere, pause: float
):
    with House(home, simulator.url, lists=SLOW_TO_READ).running() as house:
        house.hang_up()
        time.sleep(pause)
        house.change(mode="stop-unknowns")
        house.hang_up()
        house.until_said("watching", "mode stop-unknowns")


def test_ten_hang_ups_in_a_second_end_with_the_last_settings(home: Path, simulator: Elsewhere):
    with House(home, simulator.url).running() as house:
        for number in range(10):
            house.change(mode="stop-unknowns" if number % 2 else "normal")
            house.hang_up()
            house.drop(f"meanwhile {number}", b"known %d" % number)
            time.sleep(0.1)
        wait_for("the last mode", lambda: house.snapshot().mode == "stop-unknowns")
        house.drop("afterwards", b"afterwards")
        house.until("afterwards", State.QUARANTINED)
        house.until_ended(*(f"meanwhile {number}" for number in range(10)))
        assert len(house.rows()) == 11


def test_a_hang_up_with_folders_that_are_not_there_keeps_the_old_settings(
    home: Path, simulator: Elsewhere
):
    with House(home, simulator.url).running() as house:
        house.change(watch=[str(home / "nowhere")])
        house.hang_up()
        told = house.until_said("problem", "the settings stay as they were")
        assert "nowhere" in told
        house.drop("still", b"still guarded")
        house.until("still", State.RELEASED)


def test_a_hang_up_while_the_folder_is_away_ends_nothing(home: Path, simulator: Elsewhere):
    with House(home, simulator.url, released=str(home / "Released")).running() as house:
        house.downloads.rename(home / "elsewhere")
        wait_for("unwatched", lambda: not house.snapshot().watching[0].healthy)
        house.hang_up()
        house.until_said("settings", "read anew")
        wait_for("told", lambda: house.snapshot().watching[0].problem)
        (home / "elsewhere").rename(house.downloads)
        wait_for("watched again", lambda: house.snapshot().watching[0].healthy)
        house.drop("back", b"back again")
        wait_for("released", (home / "Released" / "back").exists)


def test_stopping_while_the_line_is_filled_with_what_waited(home: Path, simulator: Elsewhere):
    files = {f"file {number}": b"%d" % number for number in range(1500)}
    house = House(home, NOWHERE)
    with house.running():
        for name, content in files.items():
            house.drop(name, content)
        wait_for("all are held", lambda: len(house.rows()) == len(files) and _all_wait(house))
    house.change(lists={"allow": [sha256(content).hexdigest() for content in files.values()]})
    with left_alone(house) as process:
        wait_for("the first is released", lambda: house.snapshot() and _some_released(house))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    with house.running():
        house.until_ended(*files)
    assert len(house.rows()) == len(files)


def _all_wait(house: House) -> bool:
    return all(row.state in WAITING for row in house.rows())


def _some_released(house: House) -> bool:
    return any(row.state is State.RELEASED for row in house.rows())


def test_stopping_in_the_middle_of_a_copy_to_another_filesystem(
    home: Path, simulator: Elsewhere, elsewhere: Path
):
    size = 3 * GIB
    with House(home, simulator.url, released=str(elsewhere / "Released")).running() as house:
        with open(house.downloads / "large", "wb") as file:
            file.truncate(size)
        house.until("large", State.RELEASING)
        house.stop()
        assert only_place_of(house, "large", size)
        assert not (elsewhere / "Released" / "large").exists()


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder in memory, so on another filesystem than the home."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        pytest.skip("there is no /dev/shm")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.mark.parametrize("method", ["GET", "POST"], ids=["look-up", "upload"])
def test_stopping_does_not_wait_for_a_server_that_hangs(
    home: Path, simulator: Elsewhere, method: str
):
    simulator.do(lambda there: there.faults.always(faults.hanging(), method=method))
    patient = {"virustotal": {"timeout": "2m"}, "unknowns": {"submit": True}}
    with House(home, simulator.url, **patient).running() as house:
        house.drop("asked.exe", b"MZ asked about")
        wait_for(
            "the request hangs",
            lambda: any(request.method == method for request in simulator.requests),
        )
        assert house.stop() < 5
    assert only_place_of(house, "asked.exe", 14).is_relative_to(house.state)


def test_stopping_within_ten_seconds_whoever_locks_the_database(home: Path, simulator: Elsewhere):
    house = House(home, simulator.url)
    with house.running():
        house.drop("first", b"first")
        house.until("first", State.RELEASED)
    before = len(house.log("watching"))
    with left_alone(house) as process:
        wait_for("it is ready", lambda: len(house.log("watching")) > before)
        with closing(sqlite3.connect(house.state / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            house.drop("second", b"second")
            wait_for("it waits for the database", lambda: sleeps_for_a_lock(process.pid))
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 3
    assert "does not let go" in house.until_said("problem", "without waiting")
    with house.running():
        house.until("second", State.RELEASED)
    assert [row.name for row in house.rows()] == [b"first", b"second"]


def test_stopping_before_it_has_really_begun(home: Path, simulator: Elsewhere):
    house = House(home, simulator.url)
    with house.running():
        pass
    with open(house.state / f"{DATABASE}.lock", "rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = len(house.log("watching"))
        with left_alone(house) as process:
            wait_for("it waits for the lock", lambda: waits_for_a_lock(process.pid))
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 3
        assert len(house.log("watching")) == before


def test_a_vital_part_that_keeps_failing_ends_it_with_the_reason(home: Path, simulator: Elsewhere):
    house = House(home, simulator.url)
    with left_alone(house) as process:
        house.until_said("watching", "released files go to")
        with closing(sqlite3.connect(house.state / DATABASE, isolation_level=None)) as other:
            other.execute("ALTER TABLE wanted RENAME TO not_wanted")
        assert process.wait(60) == 3
        assert process.stderr is not None
        told = process.stderr.read().decode()
    assert "`wishes` keeps failing" in told
    assert "Traceback" not in told
    assert "wanted" in house.until_said("problem", "checkfirst ends")


def test_stopping_does_not_wait_for_a_folder_whose_server_is_away(
    home: Path, simulator: Elsewhere, tmp_path: Path
):
    away = tmp_path / "away"
    away.mkdir()
    house = House(home, simulator.url)
    house.change(watch=[str(house.downloads), str(away)])
    with left_alone(house) as process:
        house.until_said("watching", "released files go to")
        with hung(bytes(away)):
            time.sleep(6)  # its health is asked for every five seconds
            house.drop("here", b"here")
            house.until("here", State.RELEASED)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) in {0, 3}


def test_an_optional_part_that_keeps_failing_leaves_it_degraded(home: Path, simulator: Elsewhere):
    with House(home, simulator.url, retention={"quarantine": "1d"}).running() as house:
        with closing(sqlite3.connect(house.state / DATABASE, isolation_level=None)) as other:
            other.execute("ALTER TABLE second_looks RENAME TO not_looked_at")
        house.hang_up()
        (problem,) = wait_for("told", lambda: house.snapshot().problems)
        assert "second_looks" in problem
        house.drop("still", b"still judged")
        house.until("still", State.RELEASED)
