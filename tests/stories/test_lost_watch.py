"""The watched folder comes to grief in every way; status says so, and nothing is missed."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.faults import dropped
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import WAITING, House, wait_for

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting and other users take root")


class Apart(House):
    """A house whose released folder does not go with the downloads."""

    def __init__(self, home: Path, url: str, **changes: object) -> None:
        self.elsewhere = home / "Released"
        super().__init__(home, url, **{"released": str(self.elsewhere), **changes})
        self.released = self.elsewhere

    def status(self) -> dict[str, object]:
        """What `checkfirst status --json` prints."""
        done = subprocess.run(
            [*self.command[:-1], "status", "--json"],
            env=self.environment,
            capture_output=True,
            check=False,
            timeout=20,
        )
        said: dict[str, object] = json.loads(done.stdout)
        assert done.returncode == (1 if said["problems"] else 0)
        return said

    def until_status(self, what: str, holds: Callable[[dict[str, object]], bool]) -> None:
        wait_for(what, lambda: holds(self.status()))


def _is_unwatched(status: dict[str, object]) -> bool:
    (folder,) = status["watching"]  # type: ignore[misc]
    problems = " ".join(status["problems"])  # type: ignore[arg-type]
    return status["state"] == "degraded" and not folder["healthy"] and "folder" in problems  # type: ignore[has-type]


def _is_watched(status: dict[str, object]) -> bool:
    (folder,) = status["watching"]  # type: ignore[misc]
    return status["state"] == "running" and bool(folder["healthy"])  # type: ignore[has-type]


def test_a_folder_that_is_gone_is_told_and_is_watched_again_when_it_is_back(
    home: Path, simulator: Elsewhere
):
    with Apart(home, simulator.url).running() as house:
        house.until_status("watched", _is_watched)
        house.downloads.rmdir()
        house.until_status("told that it is not", _is_unwatched)
        assert "does not exist" in house.until_said("problem", "does not exist")
        house.downloads.mkdir()
        house.drop("at once", b"at once")
        house.until("at once", State.RELEASED)
        house.until_status("watched again", _is_watched)


def test_what_comes_into_a_folder_made_anew_under_the_old_name_is_not_missed(
    home: Path, simulator: Elsewhere
):
    """Nobody tells of a rename, so it is noticed some seconds later."""
    with Apart(home, simulator.url).running() as house:
        for number in range(2):
            house.downloads.rename(home / f"old {number}")
            house.downloads.mkdir()
            house.drop(f"quick {number}", b"%d" % number)
            house.until(f"quick {number}", State.RELEASED)
        assert house.below_downloads() == set()


@contextmanager
def mounted(folder: Path, *how: str | Path) -> Iterator[None]:
    command = ["mount", *(how or ("-t", "tmpfs", "-o", "size=16m", "tmpfs")), folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mount is not possible here: {done.stderr.strip()}")
    try:
        yield
    finally:  # the daemon may look into it just now
        wait_for(
            "unmounted", lambda: not subprocess.run(["umount", folder], check=False).returncode
        )


@as_root
def test_what_is_mounted_over_it_and_unmounted_is_watched_in_turn(home: Path, simulator: Elsewhere):
    with Apart(home, simulator.url).running() as house:
        house.drop("before", b"before")
        house.until("before", State.RELEASED)
        with mounted(house.downloads):
            house.until_said("watching", "watched again")
            house.drop("mounted", b"on the disk")
            house.until("mounted", State.RELEASED)
        house.drop("after", b"after")
        house.until("after", State.RELEASED)
        house.until_status("watched", _is_watched)


@as_root
def test_a_disk_that_is_away_takes_what_it_holds_along_and_brings_it_back(
    home: Path, simulator: Elsewhere
):
    """Its files are held on the disk itself; meanwhile what lies below it is watched, and taken."""
    house, disk = Apart(home, simulator.url), home / "disk"
    disk.mkdir()
    with mounted(disk), mounted(house.downloads, "--bind", disk), house.running():
        simulator.fail_always(dropped())
        house.drop("waits", b"waits")
        house.until("waits", State.WAITING)
        assert (house.downloads / ".checkfirst-held").is_dir()
        subprocess.run(["umount", "--lazy", house.downloads], check=True)
        house.until_said("watching", "watched again")
        simulator.heal()
        house.drop("below", b"below")
        house.until("below", State.RELEASED)
        assert house.rows("waits")[0].state in WAITING
        subprocess.run(["mount", "--bind", disk, house.downloads], check=True)
        house.until("waits", State.RELEASED, seconds=90)


def test_a_held_folder_that_somebody_removed_is_made_anew(home: Path, simulator: Elsewhere):
    with Apart(home, simulator.url).running() as house:
        shutil.rmtree(house.state / "held")
        house.drop("one", b"one")
        house.until("one", State.RELEASED)
        house.until_status("all is well", _is_watched)


def test_a_polled_folder_needs_no_event(home: Path, simulator: Elsewhere):
    with Apart(home, simulator.url, intake={"watcher": "polling"}).running() as house:
        (folder,) = house.snapshot().watching
        assert (folder.watcher, folder.healthy) == ("polling", True)
        house.drop("one", b"one")
        house.until("one", State.RELEASED)
        house.downloads.rename(home / "old")
        house.until_status("told that it is gone", _is_unwatched)
        (home / "old").rename(house.downloads)
        house.drop("two", b"two")
        house.until("two", State.RELEASED)


class AsNobody(Apart):
    """The daemon as a user for whom permissions count."""

    @property
    def command(self) -> list[str]:
        return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *super().command]


@as_root
def test_a_folder_that_may_not_be_read_is_told_until_it_may(simulator: Elsewhere):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        house = AsNobody(home, simulator.url)
        Path(folder).chmod(0o755)
        house.elsewhere.mkdir()
        house.state.mkdir()
        for path in (home, *home.rglob("*")):
            os.chown(path, 65534, 65534)
        probe = subprocess.run(
            [*house.command[:4], house.command[4], "-c", "import checkfirst"],
            env=house.environment,
            capture_output=True,
            check=False,
        )
        if probe.returncode:
            pytest.skip(f"another user cannot run it here: {probe.stderr[-200:]!r}")
        with house.running():
            house.downloads.chmod(0)
            house.until_status("told that it may not be read", _is_unwatched)
            house.until_said("problem", "cannot be listed")
            house.downloads.chmod(0o700)
            house.until_status("watched again", _is_watched)
            os.chown(house.drop("then", b"then"), 65534, 65534)
            house.until("then", State.RELEASED)
