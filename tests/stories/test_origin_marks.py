"""Where a file says it came from: shown to the person, kept with the file, told to nobody."""

import json
import os
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import House
from tests.stories.test_deeds import says

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

SECRET = "s3cret"
MARKS = {
    "user.xdg.origin.url": f"https://ann:{SECRET}@downloads.example/tool.bin?{SECRET}".encode(),
    "user.xdg.referrer.url": f"https://pages.example/?{SECRET}".encode(),
    "user.com.apple.quarantine": b"0083;5f3b1c2d;Safari;0F1B2C3D",
    "user.Zone.Identifier": f"[ZoneTransfer]\r\nHostUrl=https://zone.example/{SECRET}".encode(),
}
SHOWN = "https://downloads.example/tool.bin"


def drop(house: House, name: str, content: bytes, other_name: Path | None = None) -> None:
    """As a browser does: under a temporary name, marked, then renamed."""
    path = house.drop(f"{name}.part", content)
    for mark, value in MARKS.items():
        try:
            os.setxattr(path, mark, value)
        except OSError as error:
            pytest.skip(f"no user attributes on this filesystem: {error}")
    if other_name is not None:
        os.link(path, other_name)
    path.rename(house.downloads / name)


def marks_of(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path) if name in MARKS}


@pytest.mark.parametrize("has_other_name", [False, True], ids=["renamed", "copied"])
def test_marks_go_with_the_file_and_are_shown_without_their_secrets(
    home: Path, simulator: Elsewhere, has_other_name: bool
):
    simulator.add(clean(b"good"), malicious(b"bad"))
    simulator.behave(queued_seconds=0.0, in_progress_seconds=0.0)
    unknowns = {"submit": True, "submit_types": ["document", "other"]}
    with House(home, simulator.url, unknowns=unknowns).running() as house:
        for name in ("good", "bad", "never seen"):
            # With another name, release and quarantine are copies.
            other_name = home / name if has_other_name else None
            drop(house, f"{name}.bin", name.encode(), other_name)
        house.until_ended("good.bin", "bad.bin", "never seen.bin")
        for name in ("good.bin", "never seen.bin"):
            assert marks_of(house.released / name) == MARKS
        stopped = Path(os.fsdecode(house.rows("bad.bin")[-1].destination or b""))
        assert marks_of(stopped / "payload.quarantined") == MARKS
        assert f"Loaded from: {SHOWN}\n" in (stopped / "report.txt").read_text()
        assert json.loads((stopped / "report.json").read_text())["origin_url"] == SHOWN
        assert SHOWN in says(house, "why", "bad.bin")
        for command in (["why", "bad.bin"], ["history"], ["quarantine", "list"]):
            (row, *_) = json.loads(says(house, *command, "--json"))
            assert row["origin_url"] == SHOWN

        says(house, "quarantine", "restore", "bad.bin")
        assert marks_of(house.released / "bad.bin") == MARKS
        assert house.rows("bad.bin")[-1].state is State.RESTORED
        (upload,) = simulator.uploads
        assert simulator.requests
        assert "uploaded" in says(house, "why", "never seen.bin")

        told = "\n".join(house.log()) + house.everything_said()
        for text in ("downloads.example", "pages.example", "zone.example", SECRET):
            assert text not in told
            assert text.encode() not in (house.state / "status.json").read_bytes()
            assert not any(text in repr(each) for each in (*simulator.requests, upload))
        for path in house.state.glob("checkfirst.sqlite*"):
            assert SECRET.encode() not in path.read_bytes()


def test_a_mark_that_is_a_file_beside_it_is_read_before_it_is_taken_itself(
    home: Path, simulator: Elsewhere
):
    with House(home, simulator.url).running() as house:
        mark = f"[ZoneTransfer]\r\nZoneId=3\r\nHostUrl={SHOWN}?{SECRET}\r\n"
        with house.asleep():  # one that lies alone for long is a file like any other
            house.drop("tool.bin:Zone.Identifier", mark.encode())
            house.drop("tool.bin", b"tool")
        rows = house.until_ended("tool.bin", "tool.bin:Zone.Identifier")
        assert rows[b"tool.bin"].origin_url == SHOWN
        assert (house.released / "tool.bin:Zone.Identifier").read_bytes() == mark.encode()
