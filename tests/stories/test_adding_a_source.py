"""docs/adding-a-source.md is followed to the letter, on a copy of the program that is then run."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from checkfirst.model import State, VerdictKind
from checkfirst.simulator.known import malicious
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import WAITING, House, wait_for
from tests.stories.test_deeds import says

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

TOP = Path(__file__).parents[2]
DOC = TOP / "docs" / "adding-a-source.md"
BLOCK = re.compile(
    r"\*\*`(?P<path>[^`]+)`\*\*(?: \(new\)|, (?P<where>before|after) `(?P<anchor>[^`]+)`)\n\n"
    r"```(?:python|text)\n(?P<code>.*?)```",
    re.DOTALL,
)


def follow(text: str, top: Path) -> int:
    """Do what each block says; how many there were."""
    blocks = list(BLOCK.finditer(text))
    for block in blocks:
        path = top / block["path"]
        if block["where"] is None:
            assert not path.exists()
            path.write_text(block["code"])
            continue
        lines = path.read_text().splitlines(keepends=True)
        places = [n for n, line in enumerate(lines) if line.startswith(block["anchor"])]
        assert len(places) == 1, f"{block['path']} has not one line that is {block['anchor']}"
        lines.insert(places[0] + (block["where"] == "after"), block["code"])
        path.write_text("".join(lines))
    return len(blocks)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with two more sources."""
    top = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(TOP / "daemon", top / "daemon", ignore=ignored)
    text = DOC.read_text()
    assert follow(text, top) == text.count("```") // 2 == 13
    return top


class Extended(House):
    """A house whose daemon has them."""

    top: Path

    @property
    def environment(self) -> dict[str, str]:
        paths = [str(self.top / "daemon"), str(TOP), *filter(None, sys.path)]
        return {**super().environment, "PYTHONPATH": os.pathsep.join(paths)}


class Service:
    """The second reputation service."""

    def __init__(self) -> None:
        self.known: dict[str, bool] = {}
        self.asked: list[str] = []
        self.fails = 0
        self.never: set[str] = set()
        """What it has no answer for, whenever it is asked."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sha256 = self.path.rpartition("/")[2]
                service.asked.append(sha256)
                if service.fails or sha256 in service.never:
                    service.fails = max(service.fails - 1, 0)
                    self.send_error(503)
                elif sha256 not in service.known:
                    self.send_error(404)
                else:
                    body = json.dumps({"harmful": service.known[sha256]}).encode()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/files"


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    thread = threading.Thread(target=running.server.serve_forever)
    thread.start()
    yield running
    running.server.shutdown()
    running.server.server_close()
    thread.join()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_local_and_a_remote_source_by_the_book(
    home: Path, copy: Path, simulator: Elsewhere, service: Service
):
    bad, worse, fine, strange = b"on the file", b"VirusTotal's", b"the second's", b"nobody's"
    simulator.add(malicious(worse))
    service.known = {sha(fine): False}
    service.fails = 1
    house = Extended(
        home,
        simulator.url,
        mode="stop-unknowns",
        sources=["lists", "bad-hashes", "remembered", "virustotal", "second-opinion"],
        bad_hashes={"file": str(home / "bad.txt")},
        second_opinion={"url": service.url},
    )
    house.top = copy
    (home / "bad.txt").write_text(sha(bad).upper() + "\n")
    with house.running():
        for name, content in (("bad", bad), ("worse", worse), ("fine", fine), ("odd", strange)):
            house.drop(name, content)
        rows = house.until_ended("bad", "worse", "fine", "odd")
        said = {name.decode(): (row.state, row.source) for name, row in rows.items()}
        assert said == {
            "bad": (State.QUARANTINED, "bad-hashes"),
            "worse": (State.QUARANTINED, "virustotal"),
            "fine": (State.RELEASED, "second-opinion"),
            "odd": (State.QUARANTINED, "second-opinion"),
        }
        assert rows[b"odd"].verdict is VerdictKind.UNKNOWN
        assert sorted(set(service.asked)) == sorted([sha(fine), sha(strange)])
        assert why(house, "worse")["second-opinion"] == "not asked, as virustotal had the word"
        assert why(house, "fine")["virustotal"] == "asked first, and did not know it"
        assert why(house, "bad")["virustotal"] == "not asked about this file"
        names = [each.name for each in house.snapshot().sources]
        assert names == list(house.settings["sources"])
        at = names.index("bad-hashes")
        wait_for("status", lambda: house.snapshot().sources[at].answered == 1)
        (home / "bad.txt").unlink()
        house.drop("next", b"while the file is gone")
        house.until_ended("next")
        house.until_said("problem", "the source bad-hashes cannot be asked")


def test_one_file_that_a_source_cannot_tell_of_keeps_no_other_waiting(
    home: Path, copy: Path, simulator: Elsewhere, service: Service
):
    stuck, fine = b"never answered", b"the second's"
    service.never, service.known = {sha(stuck)}, {sha(fine): False}
    house = Extended(
        home,
        simulator.url,
        sources=["lists", "virustotal", "second-opinion"],
        second_opinion={"url": service.url},
    )
    house.top = copy
    with house.running():
        house.drop("stuck", stuck)
        house.until_waits("stuck", "cannot be asked")
        house.drop("fine", fine)
        house.until("fine", State.RELEASED)
        assert house.until("stuck", *WAITING)


def why(house: House, name: str) -> dict[str, str]:
    """What each source says of the file."""
    (told,) = json.loads(says(house, "why", name, "--json"))
    return {each["name"]: each["says"] for each in told["sources"]}


def test_their_settings_are_checked_like_all_others(home: Path, copy: Path):
    house = Extended(home, "http://127.0.0.1:9", second_opinion={"url": "ftp://x"})
    house.change(sources=["lists", "second-opinion", "bad-hashes"])
    house.top = copy
    done = subprocess.run(
        [*house.command[:-1], "settings", "check"],
        env=house.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    told = done.stdout + done.stderr
    assert "second_opinion.url: give a" in told
    assert "sources.2: answers from this machine, so it stands before second-opinion" in told
