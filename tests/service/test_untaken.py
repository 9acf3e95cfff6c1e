"""Of a file that was never taken in, `why` says why: on real files, links, pipes and writers."""

import os
import socket

import pytest

from checkfirst.clock import SystemClock
from checkfirst.service.lock import only_one
from checkfirst.service.untaken import untaken_blocking
from checkfirst.settings.load import load
from checkfirst.vault.grip import ignore_lease_breaks
from checkfirst.watch.baseline import Baseline
from checkfirst.watch.root import open_root_blocking
from checkfirst.watch.watcher import BASELINE_FILE


@pytest.fixture
def home(tmp_path, monkeypatch):
    ignore_lease_breaks()
    monkeypatch.chdir(tmp_path)
    for name in ("Downloads/Released", "Downloads/sub", "state", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def ask(home, monkeypatch):
    def one(name: bytes, *more: str) -> str:
        text = "watch: [Downloads]\nreleased: Downloads/Released\nstate: state\nquarantine: Q\n"
        (home / "settings.yaml").write_text("\n".join([text, *more]))
        loaded = load(home / "settings.yaml", {"HOME": str(home)})
        found = untaken_blocking(name, loaded.settings, SystemClock())
        return f"{found.why}. {found.to_do}" if found else "nothing"

    return one


@pytest.fixture
def running(home):
    with only_one(home / "state"):
        yield


def put(path, data=b"data"):
    path.write_bytes(data)
    return os.fsencode(path)


def test_what_is_not_there_is_no_file(ask):
    assert ask(b"nothing") == "nothing"
    assert ask(b"no/such/folder") == "nothing"
    assert ask(b"a\0b") == "nothing"
    assert ask(b"x" * 300) == "nothing"


def test_a_file_elsewhere_can_be_taken(home, ask):
    told = ask(put(home / "elsewhere/a"))
    assert told.startswith("it lies in no watched folder. To have it judged now: checkfirst take")


@pytest.mark.parametrize("name", [b"/etc/passwd", b"elsewhere"])
def test_take_is_not_advised_where_it_would_refuse(ask, name):
    told = ask(name)
    assert told.startswith("it lies in no watched folder. ")
    assert told.endswith("checkfirst check FILE")


def test_own_folders_are_told_of(home, ask):
    assert "Released is not watched" in ask(put(home / "Downloads/Released/a"))
    assert "state is not watched" in ask(put(home / "state/a"))


@pytest.mark.usefixtures("running")
def test_files_in_sub_folders_are_left_alone_unless_they_are_wanted(home, ask):
    path = put(home / "Downloads/sub/a")
    assert ask(path).startswith("it lies in a sub-folder, and those are left alone")
    assert "checkfirst take FILE" in ask(b"Downloads/sub")
    recursive = "intake: {recursive: true}"
    assert "came just now" in ask(path, recursive)
    assert "the files in it are taken" in ask(b"Downloads/sub", recursive)


def test_only_regular_files_are_taken(home, ask):
    (home / "Downloads/link").symlink_to("nowhere")
    os.mkfifo(home / "Downloads/pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("Downloads/socket")
        for name, word in (("link", "a link"), ("pipe", "a pipe"), ("socket", "a socket")):
            assert ask(name.encode()).startswith(f"it is {word}")


def test_a_name_that_is_ignored_tells_the_pattern(home, ask):
    put(home / "Downloads/a.ISO")
    assert "its name matches *.iso in" in ask(b"a.ISO", "intake: {ignore: ['*.iso']}")


def test_what_was_there_before_the_first_start_is_told_apart_from_its_replacement(home, ask):
    path = put(home / "Downloads/old")
    downloads, state = os.fsencode(home / "Downloads"), os.fsencode(home / "state")
    root = open_root_blocking(downloads, "native")
    Baseline(os.path.join(state, BASELINE_FILE), SystemClock().now).record_blocking(
        root, {b"old": os.stat(path).st_ino}
    )
    assert ask(b"old").startswith("it was there before the first start")
    os.rename(put(home / "elsewhere/new", b"new"), path)
    assert ask(b"old").startswith("checkfirst does not run")


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        (b"a.crdownload", b"x", "not finished. It is taken when it gets another name, or 7d after"),
        (b"~$a.docx", b"x", "or 10m after its last change"),
        (b"empty", b"", "it is empty"),
        (b"joined", b"x", "joined.aria2 lies beside it"),
        (b"fresh", b"x", "it came just now, or still changes"),
        (b"\xff\n", b"x", "it came just now"),
    ],
)
def test_what_is_not_finished_says_for_what_it_waits(home, ask, name, data, told):
    put(home / "Downloads/joined.aria2")
    put(home / os.fsdecode(b"Downloads/" + name), data)
    assert told in ask(name)


@pytest.mark.usefixtures("running")
def test_a_writer_is_named(home, ask):
    with (home / "Downloads/open").open("wb") as file:
        file.write(b"x")
        file.flush()
        assert f"(process {os.getpid()}) has it open for writing" in ask(b"open")
    assert "came just now" in ask(b"open")
