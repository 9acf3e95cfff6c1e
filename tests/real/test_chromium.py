"""Debian's Chromium really downloads into the watched folder: whole files alone come out."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.browsing import judged_whole
from tests.real.site import installed

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
    judged_whole(tmp_path, _download, "good.bin", lambda name: b"rdownload" in name, 30)
