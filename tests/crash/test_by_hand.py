"""A command is killed at every step it passes; the next daemon, or the one beside it, makes up.

Together with the other two files every failpoint there is kills a real process on its way.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from checkfirst.model import Arrival, State
from checkfirst.store.reading import Reading
from checkfirst.vault.failpoint import NAMES, VARIABLE
from checkfirst.vault.grip import ignore_lease_breaks
from tests.cli.journal_scene import DATA, Scene
from tests.crash import test_copying, test_failpoints
from tests.crash.small_disks import disks
from tests.stories.house import House, wait_for

pytestmark = [pytest.mark.crash, pytest.mark.timeout(120)]

NOWHERE = "http://127.0.0.1:9/api/v3"
COPYING = (".copied", ".linked", ".synced", ".unlinked")
PATIENCE = b"%PDF-1.4 patience"


def on_the_way(deeds: Sequence[str], others: tuple[str, ...]) -> list[tuple[str, str]]:
    """Deeds with the points that they pass."""
    return [
        (deed, name)
        for deed in deeds
        for name in NAMES
        if name.startswith(f"{deed}.") and not name.endswith(others)
    ]


NEAR = on_the_way(("restore", "delete", "release"), COPYING)
FAR = [case for case in on_the_way(("restore", "release"), ()) if case[1].endswith(COPYING)]


class Desk(House):
    """A house in which one file is in quarantine and one waits."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, NOWHERE, link_back=True)
        self.released, self.quarantine = home / "Released", home / "quarantine"
        self.change(
            released=str(self.released),
            quarantine=str(self.quarantine),
            retention={"journal": None},  # the scene is of a day long ago
        )
        self.back = home / "Back"
        self.scene = Scene(home)
        self.ids = {
            "restore": self.scene.quarantine(b"stopped.exe"),
            "release": self.scene.hold(b"waiting.pdf", PATIENCE),
        }
        self.ids["delete"] = self.ids["restore"]
        (held,) = (self.state / "held").rglob("waiting.pdf")
        held.chmod(0o4640)  # so that its mode must change on the way

    def killed(self, deed: str, point: str) -> None:
        """Do the deed by a command that dies at that point."""
        number = str(self.ids[deed])
        words = {
            "restore": ["quarantine", "restore", number, "--to", str(self.back)],
            "delete": ["quarantine", "delete", number, "--yes"],
            "release": ["release", number, "--yes"],
        }
        done = subprocess.run(
            [*self.command[:-1], *words[deed]],
            env={**self.environment, VARIABLE: point},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, (point, done.stdout, done.stderr)

    def ended(self, deed: str) -> Arrival:
        """The row, once nothing is to be done about it any more."""
        ends = {State.QUARANTINED, State.RESTORED, State.DELETED, State.RELEASED}

        def look() -> Arrival | None:
            (row,) = [row for row in self.rows() if row.id == self.ids[deed]]
            return row if row.state in ends else None

        return wait_for(f"the end of {deed}", look)

    def is_well(self, deed: str) -> None:
        """The file is where its row says, once and whole."""
        row = self.ended(deed)
        if row.state in {State.RESTORED, State.DELETED}:  # its folder goes when the row is written
            wait_for("the folder is gone", lambda: not os.listdir(self.quarantine))
        content = PATIENCE if deed == "release" else DATA
        places = [
            path
            for top in (self.released, self.back, self.quarantine, self.state / "held")
            for folder, _, names in os.walk(top)  # a slot may go meanwhile, which rglob cannot take
            for path in (Path(folder, name) for name in names)
            if path.is_file() and read(path) == content
        ]
        if deed == "delete":
            assert row.state is State.DELETED
            assert places == []
            return
        (there,) = places
        if deed == "restore":  # allowed when it is back, and only then
            with Reading(self.state / "checkfirst.sqlite") as reading:
                assert bool(reading.listed(row.sha256)) is (row.state is State.RESTORED)
        if row.state is State.QUARANTINED:
            assert there == Path(os.fsdecode(row.destination), "payload.quarantined")
            assert there.stat().st_mode & 0o7777 == 0
        else:
            assert row.state is (State.RELEASED if deed == "release" else State.RESTORED)
            assert os.fsencode(there) == row.destination
            assert there.stat().st_mode & 0o7777 == 0o640


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    ignore_lease_breaks()  # the quarantine is filled in this process
    desk = Desk(tmp_path / "home")
    yield desk
    desk.kill()


@pytest.fixture
def far(desk: Desk) -> Iterator[None]:
    with disks((desk.released, desk.back), 8):
        yield


@pytest.mark.parametrize(("deed", "point"), NEAR)
def test_a_killed_command_is_made_up_for_by_the_next_daemon(desk: Desk, deed: str, point: str):
    desk.killed(deed, point)
    with desk.running():
        desk.is_well(deed)


@pytest.mark.parametrize(("deed", "point"), FAR)
@pytest.mark.usefixtures("far")
def test_a_killed_command_that_was_copying_is_made_up_for(desk: Desk, deed: str, point: str):
    desk.killed(deed, point)
    with desk.running():
        desk.is_well(deed)


def test_killed_commands_are_made_up_for_by_the_daemon_beside_them(desk: Desk):
    """It looks for the dead every few seconds; nobody has to start it anew."""
    with desk.running():
        desk.killed("restore", "restore.moved")
        desk.killed("release", "release.chmodded")
        desk.is_well("restore")
        desk.is_well("release")
        desk.ids["delete"] = desk.scene.quarantine(b"other.exe")
        desk.killed("delete", "delete.payload")
        assert desk.ended("delete").state is State.DELETED


def test_every_point_kills_a_real_process_in_one_of_these_files():
    daemons = {*test_failpoints.PASSED, *test_copying.POINTS}
    assert daemons | {point for _, point in (*NEAR, *FAR)} == set(NAMES)


def read(path: Path) -> bytes:
    """However hard it is to read; we are its owner."""
    mode = path.stat().st_mode
    path.chmod(0o600)
    try:
        return path.read_bytes()
    finally:
        path.chmod(mode & 0o7777)
