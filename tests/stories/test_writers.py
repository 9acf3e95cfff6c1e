"""Programs that go on writing, in every way there is: what is released is what was judged."""

import mmap
import os
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import WAITING, House, wait_for

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

NOWHERE = "http://127.0.0.1:9/api/v3"
PAGE = 4096


def test_a_file_that_is_mapped_writable_waits_for_its_last_byte(home: Path, simulator: Elsewhere):
    """No descriptor is open any more and neither size nor times change by what is stored."""
    final = b"whole" + bytes(PAGE - 5)
    simulator.add(clean(final), malicious(b"first" + bytes(PAGE - 5)))
    with House(home, simulator.url).running() as house:
        path = house.downloads / "mapped"
        with path.open("wb+") as file:
            file.write(b"first" + bytes(PAGE - 5))
            file.flush()
            mapped = mmap.mmap(file.fileno(), PAGE)
        house.drop("plain", b"plain")
        house.until("plain", State.RELEASED)
        assert path.exists(), "left alone while it is mapped"
        mapped[:5] = b"whole"
        mapped.close()
        house.until("mapped", State.RELEASED)
        assert (house.released / "mapped").read_bytes() == final
        assert len(house.rows("mapped")) == 1


def test_what_is_written_to_a_held_file_under_its_other_name_is_judged_anew(
    home: Path, simulator: Elsewhere
):
    simulator.add(clean(b"harmless at first"), malicious(b"and then no more!"))
    house = House(home, NOWHERE)
    with house.running():
        house.drop("two-faced", b"harmless at first", home)
        os.link(home / "two-faced", house.downloads / "two-faced")
        house.until("two-faced", *WAITING)
        seen = (home / "two-faced").stat()
        with (home / "two-faced").open("r+b") as file:
            file.write(b"and then no more!")
        os.utime(home / "two-faced", ns=(seen.st_atime_ns, seen.st_mtime_ns))
    house.change(virustotal={"url": simulator.url})
    with house.running():
        house.until("two-faced", State.QUARANTINED)
        assert not (house.released / "two-faced").exists()
        house.until_said("problem", "under 1 other name (hard link)")


def test_a_held_file_that_is_truncated_and_written_anew_is_judged_by_what_it_is(
    home: Path, simulator: Elsewhere
):
    """By a descriptor that was opened between two looks, and is still open when the answer is."""
    simulator.add(clean(b"the first content"), malicious(b"second"))
    house = House(home, NOWHERE)
    with house.running():
        house.drop("patient", b"the first content")
        held = Path(os.fsdecode(house.until("patient", *WAITING).held))
        with held.open("r+b") as file:
            file.truncate()
            file.write(b"sec")
            file.flush()
            house.change(virustotal={"url": simulator.url})
            house.hang_up()
            wait_for("it is looked at", lambda: "open for writing" in house.everything_told())
            assert house.rows("patient")[-1].state in WAITING
            file.write(b"ond")
        house.until("patient", State.QUARANTINED)
        assert not (house.released / "patient").exists()


def test_an_empty_placeholder_is_no_download_and_what_is_renamed_onto_it_is(
    home: Path, simulator: Elsewhere
):
    """As Firefox and Chromium do it."""
    with House(home, simulator.url).running() as house:
        (house.downloads / "file.bin").touch()
        with (house.downloads / "file.bin.part").open("wb") as file:
            file.write(b"first half, ")
            file.flush()
            house.drop("plain", b"plain")
            house.until("plain", State.RELEASED)
            assert house.below_downloads() == {b"file.bin", b"file.bin.part"}
            file.write(b"second half")
        (house.downloads / "file.bin.part").rename(house.downloads / "file.bin")
        house.until("file.bin", State.RELEASED)
        assert (house.released / "file.bin").read_bytes() == b"first half, second half"
        assert len(house.rows("file.bin")) == 1
