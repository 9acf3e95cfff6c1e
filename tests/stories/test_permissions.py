"""A daemon without privileges over folders of other people: it says so, and lives for the rest."""

import os
import shutil
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.corpus import EICAR
from checkfirst.simulator.known import clean
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import House, wait_for

SOMEBODY = 65534

pytestmark = [
    pytest.mark.story,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("setpriv") is None,
        reason="needs root, to give its powers up, and setpriv",
    ),
]


class Powerless(House):
    """The daemon can do no more than the owner of its own files."""

    @property
    def command(self) -> list[str]:
        return ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *super().command]


def test_a_folder_that_may_not_be_written_or_read_costs_nothing_else(
    home: Path, simulator: Elsewhere
):
    names = [f"{n}.txt" for n in range(6)]
    simulator.add(*(clean(name.encode()) for name in (*names, "good")))
    house = Powerless(home, simulator.url)
    closed, secret = home / "Closed", home / "Secret"
    for folder, mode in ((closed, 0o755), (secret, 0o700)):
        folder.mkdir()
        folder.chmod(mode)
        os.chown(folder, SOMEBODY, SOMEBODY)
    house.change(watch=[str(house.downloads), str(closed), str(secret)])
    with house.running():
        for name in names:  # one after the other, as each could cost a lane
            house.drop(name, name.encode(), closed)
            reason = house.until(name, State.LEFT).reason
            assert "Could not write to the watched folder: permission is denied" in (reason or "")
        house.drop("good", b"good")
        house.until("good", State.RELEASED)
        wait_for(
            "status tells it",
            lambda: any(
                str(closed) in each and "permission" in each for each in house.snapshot().problems
            ),
        )
        health = {os.fsdecode(each.path): each for each in house.snapshot().watching}
        assert "cannot be listed" in (health[str(secret)].problem or "")
        house.until_said("problem", str(closed))
        assert len([line for line in house.log("problem") if str(closed) in line]) == 1
        for folder in (closed, secret):
            os.chown(folder, 0, 0)
        house.until_ended(*names, seconds=90)
        for name in names:
            assert (house.released / name).read_text() == name
        house.until_said("watching", f"is watched again: {secret}")
        house.drop("seen", b"good", secret)
        house.until("seen", State.RELEASED)


def test_what_belongs_to_somebody_else_waits_longer_and_goes_on_as_a_copy(
    home: Path, simulator: Elsewhere
):
    """The kernel grants no lease on it: that is told, and nothing is let through for it."""
    simulator.add(clean(b"theirs"), clean(b"shut"))
    house = Powerless(home, simulator.url)

    def bring(name: str, content: bytes, mode: int) -> os.stat_result:
        path = house.drop(name, content, folder=home)
        path.chmod(mode)
        os.chown(path, SOMEBODY, SOMEBODY)
        stat = path.stat()
        path.rename(house.downloads / name)
        return stat

    with house.running():
        theirs = bring("theirs", b"theirs", 0o444)
        bring("eicar.com", EICAR, 0o644)
        bring("shut", b"shut", 0o600)
        ended = house.until_ended("theirs", "eicar.com")
        there = (house.released / "theirs").stat()
        assert there.st_ino != theirs.st_ino
        assert (there.st_uid, there.st_mode & 0o777) == (0, 0o444)
        assert (house.released / "theirs").read_bytes() == b"theirs"
        assert ended[b"eicar.com"].state is State.QUARANTINED
        house.until_said("held", "without a lease")
        left = house.until("shut", State.LEFT)
        assert "permission is denied" in (left.reason or "")
        assert house.below_downloads() == {b"shut"}


def test_ends_of_somebody_else_are_a_problem_until_they_are_ours(home: Path, simulator: Elsewhere):
    simulator.add(clean(b"one"))
    house = Powerless(home, simulator.url)
    ends = (house.released, house.quarantine)
    for folder in ends:
        folder.mkdir()
        os.chown(folder, SOMEBODY, SOMEBODY)
    with house.running():
        house.drop("one", b"one")
        house.drop("eicar.com", EICAR)
        problems = wait_for("both", lambda: len(found := house.snapshot().problems) == 2 and found)
        for name, folder in zip(("one", "eicar.com"), ends, strict=True):
            (told,) = [each for each in problems if f"Could not move {name} into" in each]
            assert f"permission is denied: {folder}" in told
        for folder in ends:
            os.chown(folder, 0, 0)
        house.until_ended("one", "eicar.com")
        wait_for("all is well", lambda: not house.snapshot().problems)
