"""Thousands of small files at once: a second process helps, and may end at any moment."""

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.service.crew import MANY
from tests.stories.house import House, wait_for

COUNT = 1500
LATER = 300
"""So many of them come when the second process is at work, so that it has something to do."""
EVIL = 50
"""Every so many-th is on the block list."""


def content(number: int) -> bytes:
    return b"number %d" % number


def helpers(pid: int) -> list[int]:
    """The processes that the daemon has started."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return [each for each in found if b"hands_process" in _command(each)]


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """All that comes is on one of two lists, so nobody is asked."""
    hashes = [hashlib.sha256(content(number)).hexdigest() for number in range(COUNT)]
    bad = [each for number, each in enumerate(hashes) if number % EVIL == 0]
    files = {"allow": hashes, "block": bad}
    for name, listed in files.items():
        (tmp_path / name).write_text("".join(f"{each}\n" for each in listed))
    lists = {name: [str(tmp_path / name)] for name in files}
    house = House(tmp_path / "home", "http://127.0.0.1:9/api/v3", lists=lists)
    try:
        yield house
    finally:
        house.kill()


FIRST, REST = range(COUNT - LATER), range(COUNT - LATER, COUNT)


def drop(house: House, numbers: range) -> None:
    beside = house.home / "beside"
    beside.mkdir(exist_ok=True)
    for number in numbers:
        (beside / f"{number}.txt").write_bytes(content(number))
    for number in numbers:
        os.rename(beside / f"{number}.txt", house.downloads / f"{number}.txt")


def drop_at_once(house: House, numbers: range = range(COUNT)) -> None:
    with house.asleep():
        drop(house, numbers)


def helper_at_work(house: House) -> int:
    """The second process, which has got on with the first files."""
    drop_at_once(house, FIRST)
    [helper] = wait_for("it comes", lambda: helpers(house.pid))
    wait_for("it has begun", lambda: ended(house) > COUNT // 10)
    return helper


def few_descriptors(house: House, most: int) -> None:
    """The daemon may have so many open, and no more if it asks for them."""
    house.limited = ["sh", "-c", f'ulimit -n {most} && exec "$@"', "sh"]


def ended(house: House) -> int:
    return sum(row.state in {State.RELEASED, State.QUARANTINED} for row in house.rows())


def all_is_well(house: House) -> None:
    """Each file is where it belongs, once, and the row says so."""
    wait_for("all have come to their end", lambda: ended(house) == COUNT, 120)
    assert {path.name for path in house.released.iterdir()} == {
        f"{number}.txt" for number in range(COUNT) if number % EVIL
    }
    assert len(house.rows()) == COUNT
    for row in house.rows():
        number = int(row.name.split(b".")[0])
        assert row.state is (State.RELEASED if number % EVIL else State.QUARANTINED)
        assert row.destination is not None
        assert os.path.exists(row.destination)
    assert len(list(house.quarantine.iterdir())) == COUNT // EVIL
    assert not [path for path in (house.state / "held").rglob("*") if path.is_file()]


def test_a_second_process_comes_helps_and_goes_with_the_daemon(house: House):
    with house.running():
        drop_at_once(house)
        [helper] = wait_for("it comes", lambda: helpers(house.pid))
        all_is_well(house)
        house.stop()
        assert not house.log("problem")
    assert b"hands_process" not in _command(helper)


def test_one_that_is_killed_loses_nothing_and_is_told_of(house: House):
    with house.running():
        os.kill(helper_at_work(house), signal.SIGKILL)
        drop_at_once(house, REST)
        all_is_well(house)
        house.until_said("problem", "A second process")
        house.stop()
        assert len([line for line in house.log("problem") if "A second process" in line]) == 1


@pytest.mark.parametrize("how", ["hang up", "stop"])
def test_one_that_hangs_is_waited_for_by_no_hang_up_and_no_stop(house: House, how: str):
    with house.running():
        helper = helper_at_work(house)
        os.kill(helper, signal.SIGSTOP)
        drop_at_once(house, REST)
        wait_for("all wait for it", lambda: len(house.rows()) > ended(house))
        if how == "stop":
            assert house.stop() < 8  # and with the exit code of an orderly end
            house.start()
        else:
            house.hang_up()
            wait_for("read anew", lambda: len(house.log("watching")) == 2)
        assert b"hands_process" not in _command(helper)
        all_is_well(house)
        assert not house.log("problem")


def test_a_daemon_that_is_killed_takes_it_along_and_the_next_one_ends_what_they_began(
    house: House,
):
    with house.running():
        helper = helper_at_work(house)
        with house.asleep():
            drop(house, REST)
            house.kill()
        wait_for("it has gone", lambda: b"hands_process" not in _command(helper), 10)
        assert ended(house) < COUNT
        house.start()
        all_is_well(house)


@pytest.mark.parametrize("count", [MANY - 10, COUNT], ids=["threads", "second process"])
def test_many_folders_with_a_file_in_each_need_no_more_descriptors_than_there_are(
    house: House, count: int
):
    house.change(intake={"recursive": True})
    beside = house.home / "beside"
    for number in range(count):
        (beside / f"{number}").mkdir(parents=True)
        (beside / f"{number}" / f"{number}.txt").write_bytes(content(number))
    few_descriptors(house, 1024)
    with house.running():
        os.rename(beside, house.downloads / "unpacked")
        wait_for("all have come to their end", lambda: ended(house) == count, 120)
        assert not house.log("problem")
        assert not house.log("left")
    assert {path.name for path in house.released.rglob("*.txt")} == {
        f"{number}.txt" for number in range(count) if number % EVIL
    }
