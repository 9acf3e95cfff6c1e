"""Debian's Chromium really downloads into the watched folder: whole files alone come out."""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import simulator_in_thread
from tests.stories.house import House, wait_for

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

GOOD = b"good bytes " * 50_000
BAD = b"bad bytes " * 50_000
PIECES = 20


class _Slow(BaseHTTPRequestHandler):
    """Serves an attachment in pieces, two seconds in all, so that a half file is there to see."""

    def do_GET(self) -> None:
        content = BAD if "bad" in self.path else GOOD
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Disposition", f'attachment; filename="{self.path[1:]}"')
        self.end_headers()
        size = len(content) // PIECES
        for start in range(0, len(content), size):
            self.wfile.write(content[start : start + size])
            time.sleep(2 / PIECES)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Slow) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def _download(url: str, folder: Path, profile: Path) -> Iterator[None]:
    preferences = {"download": {"default_directory": str(folder), "prompt_for_download": False}}
    (profile / "Default").mkdir(parents=True)
    (profile / "Default" / "Preferences").write_text(json.dumps(preferences))
    flags = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run"
    quiet = "--disable-background-networking --disable-component-update --disable-sync"
    with subprocess.Popen(
        [str(CHROMIUM), *flags.split(), *quiet.split(), f"--user-data-dir={profile}", url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as browser:
        try:
            yield
        finally:
            browser.terminate()


def test_a_download_is_judged_whole_and_goes_where_it_belongs(tmp_path: Path):
    service = Simulator(known=[clean(GOOD), malicious(BAD)], limits=NO_LIMITS)
    with simulator_in_thread(service) as simulator, _site() as site:
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
