"""SIGKILL at each point of each story: the bytes are there once, or twice while being copied."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import checkfirst.vault
from checkfirst.vault.failpoint import NAMES, VARIABLE
from checkfirst.vault.places import Places, clear_scratch_blocking
from tests.vault import scene

PACKAGE = Path(checkfirst.vault.__file__).parent

STORIES = ("hold near", "hold far", "release near", "release far")
STORIES += ("quarantine near", "quarantine far", "restore near", "restore far", "delete near")
COPYING = ("copied", "linked", "synced", "unlinked")
RENAMING = ("grasped", "renamed", "chmodded", "moved")


def reached(story: str, name: str) -> bool:
    verb, _, far = story.partition(" ")
    family, _, point = name.partition(".")
    if verb != family:
        return False
    if point in COPYING:
        return far == "far"
    return not (far == "far" and point in RENAMING and name != "hold.grasped")


CASES = [(story, name) for name in NAMES for story in STORIES if reached(story, name)]


def run(story: str, place: bytes, other: bytes, point: str = "") -> int:
    environment = {**os.environ, VARIABLE: point, "PYTHONPATH": str(PACKAGE.parent.parent)}
    command = [sys.executable, scene.__file__, story, os.fsdecode(place), os.fsdecode(other)]
    return subprocess.run(command, env=environment, check=False).returncode


def copies(*folders: bytes) -> list[bytes]:
    """Where the bytes lie, as names; a link is no copy."""
    found = {}
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(parent, name)
                if os.path.islink(path) or os.path.getsize(path) != len(scene.DATA):
                    continue
                found[path] = Path(os.fsdecode(path)).read_bytes()
    return sorted(path for path, data in found.items() if data == scene.DATA)


def prepared(place: bytes, verb: str) -> None:
    start = b"/root/file" if verb == "hold" else b"/held/s/file"
    for name in (b"/root", b"/held" if verb == "hold" else b"/held/s"):
        os.makedirs(place + name, mode=0o700, exist_ok=True)
    Path(os.fsdecode(place + start)).write_bytes(scene.DATA)
    if verb in ("restore", "delete"):
        scene.quarantine(place, place)
    if verb == "release":
        os.chmod(place + start, 0o4755)


@pytest.mark.parametrize(("story", "name"), CASES)
def test_a_kill_loses_nothing_and_can_be_finished(place, other, story, name):
    verb = story.partition(" ")[0]
    os.makedirs(other + b"/held", exist_ok=True)
    here = place + b"/here"
    prepared(here, verb)
    assert run(story, here, other, name) == -signal.SIGKILL
    left = copies(here, other)
    if verb != "delete":
        assert 1 <= len(left) <= (2 if story.endswith("far") else 1)
    assert run(story, here, other) == 0
    left = copies(here, other)
    end = {
        "hold": b"/held/s/file",
        "release": b"/out/file",
        "quarantine": b"/payload.quarantined",
        "restore": b"/out/file",
    }
    if verb == "delete":
        assert left == []
    else:
        assert [path.endswith(end[verb]) for path in left] == [True]
    assert not [n for _, _, names in os.walk(place) for n in names if b"partial" in n]
    if verb in ("restore", "delete"):
        # What the last steps leave is scratch, which the next start clears.
        clear_scratch_blocking(Places((), b"", here + b"/quarantine", lambda _: b""))
        assert os.listdir(here + b"/quarantine") == []
    if verb == "quarantine":
        assert os.stat(left[0]).st_mode & 0o7777 == 0


def test_every_point_is_in_a_story():
    assert {name for _, name in CASES} == set(NAMES)


def test_every_point_in_the_code_is_named():
    found = set()
    for path in PACKAGE.glob("*.py"):
        text = path.read_text()
        found |= set(re.findall(r'failpoint\("([a-z_.]+)"\)', text))
        shared = re.findall(r'failpoint\(target\.step \+ "\.([a-z_]+)"\)', text)
        found |= {
            f"{step}.{name}" for step in ("release", "quarantine", "restore") for name in shared
        }
    found |= {
        f"{step}.{name}"
        for step in ("restore", "delete")
        for name in ("text", "note", "report", "folder")
    }
    assert found == set(NAMES)


def test_unarmed_points_do_nothing(place, other):
    os.makedirs(other + b"/held")
    prepared(place, "hold")
    assert run("hold near", place, other) == 0


def test_a_point_can_be_armed_for_a_later_time(place, other):
    program = (
        "from checkfirst.vault.failpoint import failpoint\n"
        "for n in range(9): print(n, flush=True); failpoint('a'); failpoint('b')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, VARIABLE: "a:3", "PYTHONPATH": str(PACKAGE.parent.parent)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == [b"0", b"1", b"2"]
