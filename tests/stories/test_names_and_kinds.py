"""Every kind of name and of thing that can lie in a folder, and what log, status and history say.

One hostile name may cost nobody else's file its verdict, forge no line, and lose no byte.
"""

import base64
import json
import os
import socket
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.policy.names import show
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import House, wait_for

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

NAMES = [
    b"--help",
    b"-rf",
    b" ",
    b" both ends ",
    b".hidden",
    b"a:b;c|d&e",
    b"back\\slash.exe",
    b"both\r\n2026-11-24 04:12:33  released     forged.exe",
    b"escape\x1b[2J\x1b]0;title\x07.pdf",
    b"markup [red]bold[bold] <b>&amp;.html",
    b"not \xff\xfe UTF-8.bin",
    b"percent %s %d {0} {x!r}.txt",
    b"quotes '\".txt",
    b"shell $(touch pwned) `id`.sh",
    b"tab\tnew\nline.txt",
    b"trailing dot.",
    b"twice.tar.gz",
    b"x" * 255,
    b"y" * 251 + b".exe",
    b"\xff" * 255,
    "bidi \u202efdp.exe".encode(),
    "caf\u00e9".encode(),
    "cafe\u0301".encode(),
    "CAF\u00c9".encode(),
    ("\u540d" * 85).encode(),
    "zero\u200bwidth\u2028separator\U0001f600.txt".encode(),
]


def says(house: House, *words: str | bytes, code: int = 0) -> str:
    """What a command prints; no name may break its lines or colours."""
    done = subprocess.run(
        [*house.command[:-1], *words],
        env={**house.environment, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        timeout=30,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    text = done.stdout.decode()
    assert all(line.isprintable() for line in text.split("\n"))
    return text


def bytes_of(folder: Path) -> dict[bytes, bytes]:
    """All files of a folder, by their raw names."""
    below = os.fsencode(folder)
    paths = {name: Path(os.fsdecode(os.path.join(below, name))) for name in os.listdir(below)}
    return {name: path.read_bytes() for name, path in paths.items()}


@pytest.mark.parametrize("recursive", [False, True], ids=["flat", "recursive"])
def test_any_name_is_released_as_it_is_and_shown_as_it_can_be(
    home: Path, simulator: Elsewhere, recursive: bool
):
    simulator.add(*(clean(name) for name in NAMES))
    with House(home, simulator.url, intake={"recursive": recursive}).running() as house:
        for name in NAMES:
            house.drop(name, name)
        house.until_ended(*NAMES)
        assert bytes_of(house.released) == {name: name for name in NAMES}
        assert house.below_downloads() == set()
        rows = json.loads(says(house, "history", "--json", "--limit", "100"))
        assert {row["name"] for row in rows} == {show(name) for name in NAMES}
        says(house, "history")
        says(house, "status")
        assert all(line.isprintable() for line in house.log())
        assert not any(line.startswith("released     forged") for line in house.log())
        for name in NAMES:
            assert "none of" in says(house, "why", "--", name)
        assert not (house.home / "pwned").exists()


def test_any_name_is_quarantined_under_one_that_a_person_can_look_at(
    home: Path, simulator: Elsewhere
):
    simulator.add(*(malicious(name) for name in NAMES))
    with House(home, simulator.url).running() as house:
        for name in NAMES:
            house.drop(name, name)
        house.until_ended(*NAMES)
        folders = sorted(house.quarantine.iterdir())
        kept: dict[bytes, bytes] = {}
        for folder in folders:
            assert folder.name.isprintable()
            assert len(os.fsencode(folder.name)) <= 255
            report = json.loads((folder / "report.json").read_text())
            payload = folder / "payload.quarantined"
            assert stat.S_IMODE(payload.stat().st_mode) == 0
            kept[base64.b64decode(report["name_base64"])] = payload.read_bytes()
            told = (folder / "report.txt").read_text()
            assert all(line.isprintable() for line in told.split("\n"))
        assert kept == {name: name for name in NAMES}
        listed = json.loads(says(house, "quarantine", "list", "--json"))
        assert {row["name"] for row in listed} == {show(name) for name in NAMES}
        says(house, "quarantine", "list")
        for row in listed:
            says(house, "quarantine", "show", row["id"])
        says(house, "quarantine", "restore", *(row["id"] for row in listed))
        assert bytes_of(house.released) == {name: name for name in NAMES}
        assert list(house.quarantine.iterdir()) == []
        assert all(line.isprintable() for line in house.log())


def test_the_same_name_a_thousand_times_overwrites_nothing(home: Path, simulator: Elsewhere):
    simulator.add(*(clean(b"%d" % number) for number in range(1000)))
    with House(home, simulator.url).running() as house:
        paths = []
        for number in range(1000):
            folder = home / "elsewhere" / f"{number}"
            folder.mkdir(parents=True)
            paths.append(house.drop("same.tar.gz", b"%d" % number, folder))
        says(house, "take", *map(str, paths))
        wait_for(
            "all are released",
            lambda: [row.state for row in house.rows()].count(State.RELEASED) == 1000,
            120,
        )
        note = house.released / "Waiting.txt"  # there while a file has waited for a minute
        wait_for("nothing waits", lambda: not note.exists())
        names = {"same.tar.gz", *(f"same ({number}).tar.gz" for number in range(1, 1000))}
        released = {path.name: path.read_bytes() for path in house.released.iterdir()}
        assert released.keys() == names
        assert set(released.values()) == {b"%d" % number for number in range(1000)}


def strange_things(folder: Path, beside: Path) -> set[bytes]:
    """One of each kind that is no finished file; their names."""
    os.mkfifo(folder / "fifo")
    (folder / "empty").touch()
    (folder / "download.part").write_bytes(b"half of it")
    (folder / "control.aria2").write_bytes(b"state")
    (folder / "control").write_bytes(b"aria2 is at it")
    (folder / "link to a file").symlink_to(beside)
    (folder / "link to nothing").symlink_to("nowhere")
    (folder / "link to itself").symlink_to("link to itself")
    (folder / "link to a folder").symlink_to(beside.parent)
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket is 107 bytes at most
        try:
            listening.bind("socket")
        finally:
            os.chdir(here)
    if os.geteuid() == 0:
        os.mknod(folder / "device", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        os.mknod(folder / "disk", stat.S_IFBLK | 0o600, os.makedev(7, 250))
    return set(os.listdir(os.fsencode(folder)))


@pytest.mark.parametrize("recursive", [False, True], ids=["flat", "recursive"])
def test_what_is_no_finished_file_stays_where_it_is(
    home: Path, simulator: Elsewhere, recursive: bool
):
    house = House(home, simulator.url, intake={"recursive": recursive})
    beside = home / "beside"
    beside.write_bytes(b"not downloaded")
    with house.running():
        tree = house.downloads / "tree" / "deep"
        tree.mkdir(parents=True)
        names = strange_things(house.downloads, beside)
        strange_things(tree, beside)
        house.drop("plain", b"plain")
        house.drop("in the tree", b"in the tree", tree)
        ended = ["plain", *(["in the tree"] if recursive else [])]
        house.until_ended(*ended)
        says(house, "status", "--wait")
        assert house.below_downloads() - {b"tree"} == names - {b"Released", b"tree"}
        assert {row.name for row in house.rows()} == set(map(os.fsencode, ended))
        where = house.released / "tree" / "deep" if recursive else tree
        assert (where / "in the tree").read_bytes() == b"in the tree"
        assert beside.read_bytes() == b"not downloaded"
        assert house.log("problem") == []
        assert json.loads(says(house, "status", "--json"))["state"] == "running"


def test_a_watched_folder_may_be_a_link_and_lead_elsewhere_later(home: Path, simulator: Elsewhere):
    real, other = home / "real", home / "other"
    real.mkdir(parents=True)
    other.mkdir()
    link = home / "link"
    link.symlink_to(real)
    house = House(home / "house", simulator.url, watch=[str(link)], released=str(link / "Released"))
    with house.running():
        house.drop("one", b"one", link)
        house.until("one", State.RELEASED)
        assert (real / "Released" / "one").read_bytes() == b"one"
        link.unlink()
        link.symlink_to(other)
        house.drop("two", b"two", link)
        house.until("two", State.RELEASED, seconds=30)
        wait_for("status", lambda: house.snapshot().watching[0].path == bytes(other))


def test_a_tree_that_is_moved_in_whole_keeps_its_shape(home: Path, simulator: Elsewhere):
    with House(home, simulator.url, intake={"recursive": True}).running() as house:
        tree = home / "tree"
        files = {}
        for number in range(300):
            path = tree / f"{number % 7}" / f"{number % 11}" / f"file {number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"%d" % number)
            files[path.relative_to(home)] = b"%d" % number
        tree.rename(house.downloads / "tree")
        house.until_ended(*(path.name for path in files))
        found = {
            path.relative_to(house.released): path.read_bytes()
            for path in house.released.rglob("file *")
        }
        assert found == files


def sparse(path: Path, size: int, head: bytes = b"") -> None:
    """A file that is all hole but for its beginning; appears under its name when it is done."""
    made = path.with_name(f"{path.name}.part")
    with made.open("wb") as file:
        file.write(head)
        file.truncate(size)
    made.rename(path)


def test_nobody_waits_behind_a_file_of_a_terabyte(home: Path, simulator: Elsewhere):
    size = 2**40
    with House(home, simulator.url).running() as house:
        for number in range(2):
            sparse(house.downloads / f"terabyte {number}", size)
        wait_for("the first is being read", lambda: _reasons(house))
        house.drop("small", b"small")
        sparse(house.downloads / "large", 20 * 2**20)
        house.until("small", State.RELEASED, seconds=20)
        house.until("large", State.RELEASED, seconds=20)
        (reason,) = _reasons(house)
        assert "of 1.1 TB so far" in reason
        assert "1.1 TB" in says(house, "status")
        assert "being read" in says(house, "why", "terabyte 0")
        house.stop()
    held = [path for path in home.rglob("terabyte *") if path.stat().st_size == size]
    assert sorted(path.name for path in held) == ["terabyte 0", "terabyte 1"]


def _reasons(house: House) -> Sequence[str]:
    waiting = json.loads(says(house, "status", "--json"))["waiting"]
    return [each["reason"] for each in waiting if "being read" in (each["reason"] or "")]


def test_a_file_too_large_to_be_sent_is_told_so(home: Path, simulator: Elsewhere):
    with House(home, simulator.url, unknowns={"submit": True}).running() as house:
        sparse(house.downloads / "setup.exe", 651 * 1000 * 1000, head=b"MZ" + bytes(200))
        row = house.until("setup.exe", State.RELEASED)
        assert "too large" in (row.reason or "")
        assert simulator.uploads == []
