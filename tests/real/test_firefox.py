"""Debian's Firefox really downloads into the watched folder: one whole file comes out of it.

It lays an empty file under the final name long before the end and gives the finished part file
that name by a rename, so both are seen on the way.
"""

import json
import os
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

QUIET = {
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}


@contextmanager
def _download(url: str, folder: Path, profile: Path) -> Iterator[None]:
    firefox = installed("firefox-esr")
    profile.mkdir()
    preferences = {
        **QUIET,
        "browser.download.dir": str(folder),
        "browser.download.folderList": 2,
        "browser.download.useDownloadDir": True,
        "browser.download.always_ask_before_handling_new_types": False,
        "browser.helperApps.neverAsk.saveToDisk": "application/octet-stream",
    }
    lines = [f"user_pref({json.dumps(key)}, {json.dumps(to)});" for key, to in preferences.items()]
    (profile / "user.js").write_text("\n".join(lines))
    with subprocess.Popen(
        [firefox, "--headless", "--no-remote", "--profile", str(profile), url],
        env={**os.environ, "HOME": str(profile), "MOZ_CRASHREPORTER_DISABLE": "1"},
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
            with _download(f"{site}/stalling-good.bin", house.downloads, tmp_path / "one"):
                seen = wait_for(
                    "a half file",
                    lambda: [name for name in house.below_downloads() if name.endswith(b".part")],
                    45,
                )
                assert seen
                assert house.rows() == []
                house.until("stalling-good.bin", State.RELEASED, seconds=45)
            with _download(f"{site}/bad.bin", house.downloads, tmp_path / "two"):
                house.until("bad.bin", State.QUARANTINED, seconds=45)
            assert (house.released / "stalling-good.bin").read_bytes() == GOOD
            (folder,) = house.quarantine.iterdir()
            assert (folder / "payload.quarantined").stat().st_size == len(BAD)
            assert [row.name for row in house.rows()] == [b"stalling-good.bin", b"bad.bin"]
            assert house.below_downloads() == set()
