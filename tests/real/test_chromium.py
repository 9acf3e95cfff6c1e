"""Debian's Chromium really downloads into the watched folder: whole files alone come out."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import simulator_in_thread
from tests.real.site import BAD, GOOD, installed, slow_site
from tests.stories.house import House, wait_for

pytestmark = pytest.mark.real


@contextmanager
def _download(url: str, folder: Path, profile: Path) -> Iterator[None]:
    chromium = installed("chromium")
    preferences = {"download": {"default_directory": str(folder), "prompt_for_download": False}}
    (profile / "Default").mkdir(parents=True)
    (profile / "Default" / "Preferences").write_text(json.dumps(preferences))
    flags = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run"
    quiet = "--disable-background-networking --disable-component-update --disable-sync"
    with subprocess.Popen(
        [chromium, *flags.split(), *quiet.split(), f"--user-data-dir={profile}", url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as browser:
        try:
            yield
        finally:
            browser.terminate()


def test_a_download_is_judged_whole_and_goes_where_it_belongs(tmp_path: Path):
    service = Simulator(known=[clean(GOOD), malicious(BAD)], limits=NO_LIMITS)
    with simulator_in_thread(service) as simulator, slow_site() as site:
        house = House(tmp_path / "home", simulator.url)
        with house.running():
            with _download(f"{site}/good.bin", house.downloads, tmp_path / "one"):
                seen = wait_for(
                    "a half file",
                    lambda: [name for name in house.below_downloads() if b"rdownload" in name],
                    30,
                )
                assert seen
                assert house.rows() == []
                house.until("good.bin", State.RELEASED, seconds=30)
            with _download(f"{site}/bad.bin", house.downloads, tmp_path / "two"):
                house.until("bad.bin", State.QUARANTINED, seconds=30)
            assert (house.released / "good.bin").read_bytes() == GOOD
            (folder,) = house.quarantine.iterdir()
            assert (folder / "payload.quarantined").stat().st_size == len(BAD)
            assert [row.name for row in house.rows()] == [b"good.bin", b"bad.bin"]
            assert house.below_downloads() == set()
