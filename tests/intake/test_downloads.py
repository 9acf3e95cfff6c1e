"""What browsers and download tools do in a folder, as observed in runs of them, on the fake clock.

Each story is a list of (seconds, what is done, names the watcher would hint at). Only the finished
file may settle, and it must be complete. Every story is told twice: with its hints, and with the
first alone, as after an overflow. A change without a hint is noticed when the quiet time seemed to
be over, so it may take that time twice.
"""

import os

import pytest

from tests.intake.settling_bench import Line, do

HALF, ALL = b"x" * 500, b"x" * 1000


class Tool:
    """Deeds of one download, in a folder."""

    def __init__(self, folder: bytes) -> None:
        self.folder = folder
        self.open: dict[bytes, int] = {}

    def path(self, name: bytes) -> bytes:
        return os.path.join(self.folder, name)

    def put(self, name, content=b""):
        with open(self.path(name), "wb") as file:
            file.write(content)

    def append(self, name, content):
        with open(self.path(name), "ab") as file:
            file.write(content)

    def begin(self, name, content=b""):
        self.open[name] = os.open(self.path(name), os.O_WRONLY | os.O_CREAT, 0o644)
        self.write(name, content)

    def write(self, name, content):
        os.write(self.open[name], content)

    def preallocate(self, name):
        os.ftruncate(self.open[name], len(ALL))

    def close(self, name):
        os.close(self.open.pop(name))

    def rename(self, old, new):
        os.rename(self.path(old), self.path(new))

    def remove(self, name):
        os.unlink(self.path(name))

    def stamp(self, name):
        os.chmod(self.path(name), 0o600)
        os.utime(self.path(name), (1, 1))


CHROMIUM = b".org.chromium.Chromium.a1B2c3"
STORIES = {
    "Chromium": [
        (0.0, ("begin", CHROMIUM, HALF), [CHROMIUM]),
        (
            0.3,
            ("rename", CHROMIUM, b"Unconfirmed 193803.crdownload"),
            [b"Unconfirmed 193803.crdownload"],
        ),
        (9.0, ("write", CHROMIUM, HALF), []),
        (0.1, ("close", CHROMIUM), [b"Unconfirmed 193803.crdownload"]),
        (0.0, ("put", b"file.bin"), [b"file.bin"]),
        (2.5, ("rename", b"Unconfirmed 193803.crdownload", b"file.bin"), [b"file.bin"]),
        (0.5, ("stamp", b"file.bin"), []),
    ],
    "Firefox": [
        (0.0, ("put", b"iJPU3tNE.bin"), [b"iJPU3tNE.bin"]),
        (0.0, ("remove", b"iJPU3tNE.bin"), []),
        (0.0, ("begin", b"iJPU3tNE.bin.part", HALF), [b"iJPU3tNE.bin.part"]),
        (0.1, ("put", b"file.bin"), [b"file.bin"]),
        (
            0.0,
            ("rename", b"iJPU3tNE.bin.part", b"file.XL9MEyhn.bin.part"),
            [b"file.XL9MEyhn.bin.part"],
        ),
        (600.0, ("write", b"iJPU3tNE.bin.part", HALF), []),
        (0.0, ("close", b"iJPU3tNE.bin.part"), [b"file.XL9MEyhn.bin.part"]),
        (0.0, ("rename", b"file.XL9MEyhn.bin.part", b"file.bin"), [b"file.bin"]),
        (0.2, ("stamp", b"file.bin"), []),
    ],
    "curl, with a server that stalls": [
        (0.0, ("begin", b"file.bin", HALF), [b"file.bin"]),
        (80.0, ("write", b"file.bin", HALF), []),
        (0.0, ("close", b"file.bin"), [b"file.bin"]),
    ],
    "aria2, preallocating and stalled": [
        (0.0, ("begin", b"file.bin"), [b"file.bin"]),
        (0.0, ("put", b"file.bin.aria2__temp", b"control"), [b"file.bin.aria2__temp"]),
        (0.0, ("rename", b"file.bin.aria2__temp", b"file.bin.aria2"), [b"file.bin.aria2"]),
        (0.0, ("preallocate", b"file.bin"), []),
        (30.0, ("write", b"file.bin", ALL), []),
        (0.0, ("close", b"file.bin"), [b"file.bin"]),
        (1.0, ("remove", b"file.bin.aria2"), []),
    ],
    "aria2, killed and started again": [
        (0.0, ("put", b"file.bin", HALF), [b"file.bin"]),
        (0.0, ("put", b"file.bin.aria2", b"control"), [b"file.bin.aria2"]),
        (900.0, ("append", b"file.bin", HALF), [b"file.bin"]),
        (0.0, ("remove", b"file.bin.aria2"), []),
    ],
    "rsync": [
        (0.0, ("begin", b".file.bin.7CGeBg", HALF), [b".file.bin.7CGeBg"]),
        (20.0, ("write", b".file.bin.7CGeBg", HALF), []),
        (0.0, ("close", b".file.bin.7CGeBg"), [b".file.bin.7CGeBg"]),
        (0.0, ("rename", b".file.bin.7CGeBg", b"file.bin"), [b"file.bin"]),
    ],
    "yt-dlp": [
        (0.0, ("begin", b"file.bin.part", HALF), [b"file.bin.part"]),
        (0.0, ("put", b"file.bin.ytdl", b"{}"), [b"file.bin.ytdl"]),
        (20.0, ("write", b"file.bin.part", HALF), []),
        (0.0, ("close", b"file.bin.part"), [b"file.bin.part"]),
        (0.0, ("remove", b"file.bin.ytdl"), []),
        (0.0, ("rename", b"file.bin.part", b"file.bin"), [b"file.bin"]),
    ],
    "unzip": [
        (0.0, ("put", b"file.bin", ALL), [b"file.bin"]),
        (1.0, ("stamp", b"file.bin"), []),
    ],
    "closing and opening again every 0.3 s": [
        (0.0, ("put", b"file.bin", b"x" * 100), [b"file.bin"]),
        *[(0.3, ("append", b"file.bin", b"x" * 100), [b"file.bin"]) for _ in range(9)],
    ],
}


@pytest.mark.parametrize("hints", ["all", "first"])
@pytest.mark.parametrize("name", STORIES)
async def test_only_the_finished_file_settles(folder, name, hints):
    tool = Tool(folder)
    hinted = set()
    async with Line(folder) as line:
        for pause, (deed, *arguments), names in STORIES[name]:
            await line.passes(pause)
            assert line.names == []
            await do(getattr(tool, deed), *arguments)
            told = [n for n in names if hints == "all" or n not in hinted]
            hinted.update(told)
            await line.sight(*told)
        await line.passes(4 if hints == "all" else 3600)
        assert line.names == [b"file.bin"]
        assert line.settled[0].stamp.size == len(ALL)
