"""The same where every way is a copy: downloads, held folder and both ends on filesystems apart.

Also what a broken database costs.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkfirst.simulator.thread import Elsewhere
from checkfirst.vault.held import INSIDE
from tests.crash import test_failpoints as near
from tests.crash.small_disks import disks
from tests.crash.test_failpoints import ALL, BAD, Killed, service  # noqa: F401  (a fixture)
from tests.stories.house import wait_for

pytestmark = pytest.mark.crash

POINTS = [
    f"{step}.{point}"
    for step in ("hold", "release", "quarantine")
    for point in ("copied", "linked", "synced", "unlinked")
]
NOWHERE = "http://127.0.0.1:9/api/v3"


class Apart(Killed):
    """A house with a filesystem for each folder."""

    def __init__(self, home: Path, url: str) -> None:
        super().__init__(home, url)
        self.released = home / "Released"
        self.change(released=str(self.released))
        # What has the name of the held folder inside the downloads leaves nothing but copying.
        (self.downloads / os.fsdecode(INSIDE)).touch()

    def below_downloads(self) -> set[bytes]:
        return super().below_downloads() - {INSIDE}


@pytest.fixture
def apart(tmp_path: Path, service: Elsewhere) -> Iterator[Apart]:  # noqa: F811
    house = Apart(tmp_path / "home", service.url)
    with disks((house.state, house.released, house.quarantine), 32):
        yield house


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_copying_no_file_is_lost_or_let_through(apart: Apart, point: str):
    apart.point = f"{point}:2"
    apart.start()
    for name, content in ALL.items():
        apart.drop(name, content)
    wait_for(f"the daemon dies at {point}", lambda: apart.is_dead, 15)
    apart.forget()
    there = {path.read_bytes() for path in apart.released.iterdir() if path.is_file()}
    assert not there & set(BAD.values())
    apart.point = None
    with apart.running():
        apart.until_ended(*ALL)
    near._all_is_well(apart)


def test_a_broken_database_loses_no_file(tmp_path: Path, service: Elsewhere):  # noqa: F811
    block = [hashlib.sha256(content).hexdigest() for content in BAD.values()]
    house = Killed(tmp_path / "home", NOWHERE)
    house.change(lists={"block": block})
    with house.running():
        for name, content in ALL.items():
            house.drop(name, content)
        house.until_ended(*BAD)
        wait_for("the others wait", lambda: len(house.snapshot().outlook) == len(ALL) - len(BAD))
    database = house.state / "checkfirst.sqlite"
    database.write_bytes(b"\xa5" * database.stat().st_size)
    house.change(virustotal={"url": service.url})
    with house.running():
        house.until_ended(*ALL)
        assert any("corrupt" in line for line in house.log("problem"))
    near._all_is_well(house)
    assert list(house.state.glob("checkfirst.sqlite.corrupt-*"))
