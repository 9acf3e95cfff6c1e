"""Real download tools and unpackers at work in the watched folder: each file once, and whole."""

import os
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checkfirst.simulator.known import clean
from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import simulator_in_thread
from tests.real.site import GOOD, installed, slow_site
from tests.stories.house import House

pytestmark = pytest.mark.real

Command = Callable[[str, Path], list[str]]

DOWNLOADERS: dict[str, Command] = {
    "curl": lambda url, into: ["curl", "-sS", "-o", str(into / "file.bin"), url],
    "curl --xattr": lambda url, into: ["curl", "-sS", "--xattr", "-o", str(into / "file.bin"), url],
    "wget": lambda url, into: ["wget", "-q", "-O", str(into / "file.bin"), url],
    "aria2c": lambda url, into: ["aria2c", "-q", "-d", str(into), "-o", "file.bin", url],
    "aria2c, room made at once": lambda url, into: [
        *("aria2c", "-q", "--file-allocation=falloc", "-d", str(into), "-o", "file.bin", url),
    ],
}

CONTENTS = {f"{number}.txt": b"%d " % number * 20_000 for number in range(30)}

UNPACKERS: dict[str, Command] = {
    "unzip": lambda archive, into: ["unzip", "-q", archive, "-d", str(into)],
    "7z": lambda archive, into: ["7z", "x", "-y", f"-o{into}", archive],
}


@pytest.mark.parametrize("tool", DOWNLOADERS)
def test_a_download_that_stalls_is_taken_once_and_whole(tmp_path: Path, tool: str):
    with slow_site() as site, house_that_knows(tmp_path, GOOD) as house:
        command = DOWNLOADERS[tool](f"{site}/stall.bin", house.downloads)
        installed(command[0])
        subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
        ends_once(house, {"file.bin": GOOD})


def test_what_rsync_brings_is_taken_once_and_whole(tmp_path: Path):
    rsync = installed("rsync")
    source = tmp_path / "file.bin"
    source.write_bytes(GOOD)
    with house_that_knows(tmp_path, GOOD) as house:
        command = [rsync, "-a", "--bwlimit=200", str(source), f"{house.downloads}/"]
        subprocess.run(command, check=True, timeout=60)
        ends_once(house, {"file.bin": GOOD})
    assert (house.released / "file.bin").stat().st_mtime == source.stat().st_mtime


@pytest.mark.parametrize("tool", UNPACKERS)
def test_what_an_archive_holds_is_taken_file_by_file(tmp_path: Path, tool: str):
    installed(tool)
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in CONTENTS.items():
            file.writestr(name, content)
    with house_that_knows(tmp_path) as house:
        command = UNPACKERS[tool](str(archive), house.downloads)
        subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
        ends_once(house, CONTENTS)


@contextmanager
def house_that_knows(tmp_path: Path, *contents: bytes) -> Iterator[House]:
    """A house with the daemon running."""
    service = Simulator(known=[clean(content) for content in contents], limits=NO_LIMITS)
    with (
        simulator_in_thread(service) as simulator,
        House(tmp_path / "home", simulator.url).running() as house,
    ):
        yield house


def ends_once(house: House, files: dict[str, bytes]) -> None:
    house.until_ended(*files)
    assert {path.name: path.read_bytes() for path in house.released.iterdir()} == files
    assert sorted(row.name for row in house.rows()) == sorted(map(os.fsencode, files))
    assert house.below_downloads() == set()
