"""Something else is put in the way between any two steps: nothing wrong arrives, nothing is lost.

Exhaustive: each way of moving a file, each point on it, each thing that another program could do
to the file, to its folder or to where it goes. Whatever comes of it, what has arrived is what was
judged, what lay elsewhere was neither moved nor changed, and the file itself is still there.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from checkfirst.errors import FileProblem
from checkfirst.vault.digest import digest_blocking
from checkfirst.vault.failpoint import NAMES
from checkfirst.vault.grip import grasp_blocking
from checkfirst.vault.hold import hold_blocking
from checkfirst.vault.quarantine import quarantine_blocking
from checkfirst.vault.release import release_blocking
from checkfirst.vault.report import Report
from checkfirst.vault.restore import remove_reports_blocking, restore_blocking
from tests.vault.test_failpoint import STORIES, reached

DATA = b"what was judged"
EVIL = b"something else!"
SECRET = b"not theirs to see"
SHA = hashlib.sha256(DATA).hexdigest()
REPORT = Report(1, b"/d/file", SHA, len(DATA), 0o644, 1_000_000_000, decided_at=1.7e9)

PUT: dict[str, Callable[[bytes, bytes], object]] = {
    "file": lambda path, _: written(path, EVIL),
    "symlink": lambda path, secret: os.symlink(secret, path),
    "folder": lambda path, _: os.mkdir(path),
    "fifo": lambda path, _: os.mkfifo(path),
    "gone": lambda path, _: None,
}
"""What can lie under the file's name instead of it."""
SWAPS = (*PUT, "parent", "write", "target", "target parent")
CASES = [
    (story, name, swap)
    for story in STORIES
    for name in NAMES
    if not story.startswith("delete") and reached(story, name)
    for swap in SWAPS
]


class Scene:
    """A file on its way, and what lies around it."""

    def __init__(self, place: bytes, other: bytes, story: str) -> None:
        self.verb, _, far = story.partition(" ")
        self.place = place
        self.end = other if far == "far" else place
        self.aside, self.outside = place + b"/aside", place + b"/outside"
        for folder in (self.aside, self.outside):
            os.mkdir(folder)
        for name in (b"file", b"payload.quarantined"):
            written(self.outside + b"/" + name, SECRET)
        self.to = self.end + {"hold": b"/held/slot", "quarantine": b"/q"}.get(self.verb, b"/out")
        match self.verb:
            case "hold":
                os.mkdir(self.end + b"/held", 0o700)
                self.source = written(place + b"/root/sub/file", DATA)
            case "restore":
                held = written(place + b"/start/file", DATA)
                with grasp_blocking(held, lease=True) as grip:
                    folder = quarantine_blocking(grip, held, place + b"/q", REPORT).path
                self.source = folder + b"/payload.quarantined"
            case _:
                self.source = written(place + b"/held/slot/file", DATA)
                os.chmod(self.source, 0o4755)

    def move(self) -> bytes:
        """Do it; where the file went."""
        match self.verb:
            case "hold":
                held = self.to + b"/file"
                moves = "copy" if self.end != self.place else "rename"
                root = self.place + b"/root"
                with hold_blocking(self.source, held, None, root=root, moves=moves) as grip:
                    if grip.lease:  # else somebody writes, and it is not judged yet
                        with open(held, "rb") as file:
                            assert digest_blocking(grip) == hashlib.sha256(file.read()).hexdigest()
                return held
            case "restore":
                folder = os.path.dirname(self.source)
                there = restore_blocking(folder, self.to, b"file", SHA, 0o644, 1).path
                with contextlib.suppress(OSError):
                    remove_reports_blocking(folder)
                return there
            case "release":
                with grasp_blocking(self.source, lease=True) as grip:
                    return release_blocking(
                        grip, self.source, self.to, b"file", SHA, link_back=self.place + b"/link"
                    ).path
            case _:
                with grasp_blocking(self.source, lease=True) as grip:
                    path = quarantine_blocking(grip, self.source, self.to, REPORT).path
                    return path + b"/payload.quarantined"

    def swap(self, what: str) -> None:
        """What another program does."""
        path = self.source
        parent = os.path.dirname(path)
        if what in PUT:
            if os.path.lexists(path):
                os.rename(path, self.aside + b"/file")
            if os.path.isdir(parent):
                PUT[what](path, self.outside + b"/file")
            return
        match what:
            case "parent" if os.path.isdir(parent):
                os.rename(parent, self.aside + b"/parent")
                os.symlink(self.outside, parent)
            case "write" if os.path.isfile(path):
                with contextlib.suppress(BlockingIOError):  # the lease keeps writers waiting
                    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                    os.write(descriptor, EVIL)
                    os.close(descriptor)
            case "target" if os.path.isdir(self.to) and self.verb in {"release", "restore"}:
                if not os.path.lexists(self.to + b"/file"):
                    written(self.to + b"/file", b"mine")
            case "target parent" if os.path.isdir(self.to) and self.verb != "hold":
                os.rename(self.to, self.end + b"/moved")
                os.symlink(self.outside, self.to)


@pytest.mark.parametrize(("story", "name", "swap"), CASES)
def test_whatever_is_swapped_nothing_wrong_arrives(
    place: bytes, other: bytes, at: Callable, story: str, name: str, swap: str
):
    scene = Scene(place, other, story)
    done: list[str] = []

    def act() -> None:
        scene.swap(swap)
        done.append(swap)

    at(name, act)
    arrived = None
    with contextlib.suppress(FileProblem):
        arrived = scene.move()
    assert done == [swap], "the point was passed"

    everything = contents(place)  # the other filesystem is mounted below it
    data = [path for path, content in everything if content == DATA]
    if swap == "write" and not data:
        assert [path for path, content in everything if content == EVIL], "their own change"
    else:
        # What they have moved away while it was copied is theirs.
        ours = [path for path in data if not path.startswith(scene.aside)]
        assert data, everything
        assert len(ours) <= 1, ours
    for path, content in everything:
        if content == EVIL and scene.verb != "hold":
            assert os.path.dirname(path) not in {scene.to, scene.end + b"/moved"}, "let through"
        if content == b"mine":
            assert path == scene.to + b"/file", "replaced"
    # What lay elsewhere is as it was, and nothing was put beside it.
    assert sorted(os.listdir(scene.outside)) == [b"file", b"payload.quarantined"]
    for each in os.listdir(scene.outside):
        assert read(scene.outside + b"/" + each) == SECRET
    if arrived is not None and swap != "target parent" and scene.verb != "hold":
        assert read(arrived) == DATA


def contents(folder: bytes) -> list[tuple[bytes, bytes]]:
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            if os.path.isfile(path) and not os.path.islink(path):
                found.append((path, read(path)))
    return found


def written(path: bytes, data: bytes) -> bytes:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path: bytes) -> bytes:
    seen = Path(os.fsdecode(path)).stat()
    if not seen.st_mode & 0o400:
        os.chmod(path, 0o400)
    try:
        with open(path, "rb") as file:
            return file.read()
    finally:
        os.chmod(path, seen.st_mode & 0o7777)
