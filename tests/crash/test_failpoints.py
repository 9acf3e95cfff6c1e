"""The daemon is killed at every step it passes; the next one finds every file and ends it right."""

import hashlib
import os
import random
import signal
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import Elsewhere, simulator_in_thread
from checkfirst.vault.failpoint import NAMES
from tests.stories.house import House, wait_for

pytestmark = pytest.mark.crash

LONG = bool(os.environ.get("TESTS_LONG"))
GOOD = {f"good{n}.txt": b"good %d" % n for n in range(3)}
BAD = {f"bad{n}.exe": b"MZ bad %d" % n for n in range(3)}
NEVER = {f"never{n}.bin": b"never seen %d" % n for n in range(3)}
ALL = {**GOOD, **BAD, **NEVER}

PASSED = [
    name
    for name in NAMES
    if name.startswith(("hold.", "release.", "quarantine."))
    and not name.endswith((".copied", ".linked", ".synced", ".unlinked"))
    and name not in {"release.chmodded", "release.linked_back"}
]
"""Those that a daemon passes whose folders all lie on one filesystem."""


class Killed(House):
    """A house whose first daemon kills itself at a point."""

    point: str | None = None

    def __init__(self, home: Path, url: str) -> None:
        super().__init__(home, url)
        self.dropped: set[str] = set()

    @property
    def environment(self) -> dict[str, str]:
        armed = {"CHECKFIRST_FAILPOINT": self.point} if self.point else {}
        return {**super().environment, **armed}

    @property
    def is_dead(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def forget(self) -> None:
        """The process is dead and has been waited for."""
        assert self._process is not None
        assert self._process.wait(10) == -signal.SIGKILL
        self._process = None


@pytest.fixture
def service():
    known = [*map(clean, GOOD.values()), *map(malicious, BAD.values())]
    with simulator_in_thread(Simulator(known=known, limits=NO_LIMITS)) as running:
        yield running


def _drop_all(house: Killed, *, told: bool = False) -> None:
    """The first alone: a batch shares its slot, so a second slot takes a second batch.

    `told`: the log has told of its end before the others come, as nobody tells of it once more
    after a kill between the two.
    """
    first, *others = ALL
    house.drop(first, ALL[first])
    wait_for(
        "the first is held, or ended",
        lambda: (
            house.is_dead
            or (
                any(f"{first} -> " in line for line in house.log("released"))
                if told
                else house.rows(first)
            )
        ),
        15,
    )
    for name in others:
        house.drop(name, ALL[name])


def _bytes_of(folder: Path) -> list[bytes]:
    """SHA-256 of all that lies below, however hard it is to read (we are its owner)."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in {"report.txt", "report.json"}:
            mode = path.stat().st_mode
            path.chmod(0o600)
            found.append(hashlib.sha256(path.read_bytes()).digest())
            path.chmod(mode & 0o7777)
    return found


def _digests(files: dict[str, bytes]) -> list[bytes]:
    return sorted(hashlib.sha256(content).digest() for content in files.values())


def _all_is_well(house: House) -> None:
    """Every file exists once, in its place, and the journal agrees."""
    assert sorted(_bytes_of(house.released)) == _digests({**GOOD, **NEVER})
    assert sorted(_bytes_of(house.quarantine)) == _digests(BAD)
    assert _bytes_of(house.state / "held") == []
    assert house.below_downloads() == set()
    ends = {}
    for row in house.rows():
        ends.setdefault(row.sha256, []).append(row)
    for name, content in ALL.items():
        rows = ends[hashlib.sha256(content).hexdigest()]
        last = State.QUARANTINED if name in BAD else State.RELEASED
        assert [row.state for row in rows] == [last], name
        assert os.path.exists(rows[0].destination)
    for folder in house.quarantine.iterdir():
        assert (folder / "payload.quarantined").stat().st_mode & 0o777 == 0
        assert (folder / "report.json").exists()


@pytest.mark.parametrize("point", PASSED)
def test_killed_at_a_step_no_file_is_lost_or_let_through(
    tmp_path: Path, service: Elsewhere, point: str
):
    house = Killed(tmp_path / "home", service.url)
    house.point = f"{point}:2"
    house.start()
    _drop_all(house, told=True)
    wait_for(f"the daemon dies at {point}", lambda: house.is_dead, 15)
    house.forget()
    for content in BAD.values():
        assert hashlib.sha256(content).digest() not in _bytes_of(house.released)
    house.point = None
    with house.running():
        house.until_ended(*ALL)
        for name in ALL:  # the end of each is told, by whichever daemon comes to know of it
            house.until_said("quarantined" if name in BAD else "released", f"{name} -> ")
    _all_is_well(house)


def test_killed_at_random_under_load_no_file_is_lost_or_let_through(
    tmp_path: Path, service: Elsewhere
):
    chance = random.Random(4)
    many = {f"file{n}": b"number %d" % n for n in range(2000 if LONG else 200)}
    house = Killed(tmp_path / "home", service.url)
    for _ in range(40 if LONG else 4):
        house.start()
        _drop_some(house, many, chance)
        wait_for("some time", lambda: chance.random() < 0.03 or house.is_dead, 30)
        os.kill(house.pid, signal.SIGKILL)
        house.forget()
    assert len(house.dropped) == len(many)
    with house.running():
        house.until_ended(*many, seconds=60)
    assert sorted(_bytes_of(house.released)) == _digests(many)
    assert _bytes_of(house.state / "held") == []


def _drop_some(house: Killed, many: dict[str, bytes], chance: random.Random) -> None:
    """Files that were never dropped before; each is dropped once."""
    new = [name for name in many if name not in house.dropped]
    for name in chance.sample(new, min(len(new), len(many) // (40 if LONG else 4))):
        house.drop(name, many[name])
        house.dropped.add(name)


def test_a_lost_database_loses_no_file(tmp_path: Path, service: Elsewhere):
    house = Killed(tmp_path / "home", "http://127.0.0.1:9/api/v3")
    with house.running():
        _drop_all(house)
        wait_for("all are held", lambda: len(house.rows()) == len(ALL), 15)
        wait_for("all wait", lambda: len(house.snapshot().outlook) == len(ALL), 15)
    for path in house.state.glob("checkfirst.sqlite*"):
        path.unlink()
    house.change(virustotal={"url": service.url})
    with house.running():
        house.until_ended(*ALL)
    _all_is_well(house)
