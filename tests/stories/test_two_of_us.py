"""Two daemons, commands beside a daemon, and other programs at the database."""

import json
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.settings.places import DATABASE
from checkfirst.simulator.known import malicious
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import House, wait_for

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

HELD_UP_SECONDS = 5.0
ENDS = {State.RELEASED, State.QUARANTINED}


@contextmanager
def locked_for_a_while(database: Path) -> Iterator[None]:
    """Another process' write lock, as the daemon meets it: gone after five seconds."""
    with closing(sqlite3.connect(database, check_same_thread=False, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(HELD_UP_SECONDS, other.execute, ["COMMIT"])
        timer.start()
        try:
            yield
        finally:
            timer.join()


def test_a_locked_database_is_waited_out(home: Path, simulator: Elsewhere):
    with House(home, simulator.url).running() as house:
        house.drop("first", b"first")
        house.until("first", State.RELEASED)
        with locked_for_a_while(house.state / DATABASE):
            house.drop("second", b"second")
            before = house.snapshot()
        house.until("second", State.RELEASED)
        assert (before.pid, before.problems) == (house.pid, ())
        assert house.snapshot().problems == ()
        assert not house.log("problem")


def test_a_locked_database_is_waited_out_at_the_start(home: Path, simulator: Elsewhere):
    house = House(home, simulator.url)
    with house.running():
        pass
    house.drop("meanwhile", b"meanwhile")
    began = time.monotonic()
    with locked_for_a_while(house.state / DATABASE), house.running():
        assert time.monotonic() - began > HELD_UP_SECONDS / 2
        house.until("meanwhile", State.RELEASED)


def test_two_daemons_on_one_folder_end_each_file_once_and_name_each_other(
    tmp_path: Path, simulator: Elsewhere
):
    one = House(tmp_path / "one", simulator.url)
    other = House(tmp_path / "other", simulator.url, watch=[str(one.downloads)])
    names = [f"file {number}" for number in range(200)]
    with one.running(), other.running():
        (problem,) = [folder.problem for folder in other.snapshot().watching]
        assert f"process {one.pid}" in (problem or "")
        for name in names:
            one.drop(name, name.encode())
        wait_for("the folder is empty", lambda: not one.below_downloads())
        wait_for("both are done", lambda: _ended(one) + _ended(other) == len(names))
        one.stop()
        wait_for("one is alone", lambda: other.snapshot().watching[0].problem is None)
    found = [path for house in (one, other) for path in house.released.iterdir()]
    assert sorted(path.name for path in found) == sorted(names)
    assert all(path.read_bytes() == path.name.encode() for path in found)


def _ended(house: House) -> int:
    return sum(row.state in ENDS for row in house.rows())


def test_commands_beside_a_busy_daemon_neither_fail_nor_hold_it_up(
    home: Path, simulator: Elsewhere
):
    bad = [b"bad %d" % number for number in range(5)]
    simulator.add(*(malicious(content) for content in bad))
    with House(home, simulator.url).running() as house:
        for number, content in enumerate(bad):
            house.drop(f"bad {number}", content)
        house.until_ended(*(f"bad {number}" for number in range(5)))
        judged = house.home / "elsewhere.txt"
        judged.write_bytes(b"elsewhere")
        rounds = 4
        names = [f"file {number}" for number in range(600)]
        commands = [
            ["status", "--json"],
            ["check", str(judged)],
            ["quarantine", "list", "--json"],
            ["history", "--json"],
        ]
        running = []
        for number in range(rounds):
            for name in names[number::rounds]:
                house.drop(name, name.encode())
            restored = ["quarantine", "restore", f"bad {number}"]
            running += [_begun(house, *words) for words in (*commands, restored)]
        for process in running:
            output, complaint = process.communicate(timeout=60)
            assert process.returncode == 0, (process.args, output, complaint)
        house.until_ended(*names)
        assert len(house.rows()) == len(names) + len(bad)
        states = [row.state for row in house.rows() if row.name.startswith(b"bad")]
        assert states.count(State.RESTORED) == rounds
        assert states.count(State.QUARANTINED) == len(bad) - rounds
        (left,) = json.loads(_begun(house, "quarantine", "list", "--json").communicate()[0])
        assert left["name"] == "bad 4"
    with closing(sqlite3.connect(house.state / DATABASE)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _begun(house: House, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*house.command[:-1], *words],
        env=house.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
