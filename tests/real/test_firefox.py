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

from tests.real.browsing import judged_whole
from tests.real.site import installed

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
    left = judged_whole(
        tmp_path, _download, "stalling-good.bin", lambda name: name.endswith(b".part"), 45
    )
    assert left == set()
