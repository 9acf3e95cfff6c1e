import asyncio
import os

import pytest

from checkfirst.service.lock import only_one
from checkfirst.store.database import Database
from checkfirst.store.wanted import Wanted
from tests.cli.journal_scene import HOSTILE
from tests.fakes.clock import FakeClock


def wanted(scene):
    async def run():
        database = await Database.open(scene.state / "checkfirst.sqlite", FakeClock())
        try:
            return await Wanted(database).all()
        finally:
            await database.close()

    return asyncio.run(run())


@pytest.fixture
def daemon(scene):
    scene.state.mkdir()
    with only_one(scene.state):
        yield scene


def test_existing_files_are_asked_for_by_their_resolved_path(daemon, act):
    (daemon.downloads / "old.exe").write_bytes(b"1")
    (daemon.top / "link").symlink_to(daemon.downloads)
    code, out, err = act("take", "link/old.exe")
    assert (code, err) == (0, "")
    assert "old.exe" in out
    assert wanted(daemon) == [os.fsencode(daemon.downloads / "old.exe")]


def test_a_hostile_name_is_asked_for_as_it_is(daemon, act):
    path = os.path.join(os.fsencode(daemon.downloads), HOSTILE)
    with open(path, "wb"):
        pass
    code, out, _ = act("take", os.fsdecode(path))
    assert code == 0
    assert all(line.isprintable() for line in out.splitlines())
    assert "it is empty, and left alone until something is in it" in out
    assert wanted(daemon) == [path]


@pytest.mark.parametrize(
    "path", ["Downloads/nothing", "Downloads", "link", "Downloads/Released/x", "quarantine/x"]
)
def test_what_is_no_new_file_is_refused(daemon, act, path):
    for folder in (daemon.released, daemon.top / "quarantine"):
        folder.mkdir()
        (folder / "x").write_bytes(b"1")
    (daemon.top / "link").symlink_to(daemon.released / "x")
    code, _, err = act("take", path)
    assert code == 3
    assert err.startswith("Error: ")
    assert len(err.splitlines()) == 3  # title, subject, what to do
    assert wanted(daemon) == []


def test_without_a_daemon_nobody_would_take_them(scene, act):
    (scene.downloads / "old.exe").write_bytes(b"1")
    code, _, err = act("take", "Downloads/old.exe")
    assert code == 3
    assert "checkfirst run" in err


def test_a_file_of_the_system_is_not_taken(daemon, act):
    (daemon.top / "link").symlink_to("/etc")
    for path in ("/etc/passwd", "link/passwd"):
        code, out, err = act("take", path)
        assert (code, out) == (3, "")
        assert err.startswith("Error: This file lies in a folder of the system")
        assert "/etc/passwd" in err
        assert "checkfirst check" in err
    assert wanted(daemon) == []


def test_one_that_is_refused_keeps_the_others_from_being_asked_for(daemon, act):
    (daemon.top / "mine.exe").write_bytes(b"1")
    assert act("take", "mine.exe", "/etc/passwd")[0] == 3
    assert wanted(daemon) == []
    assert act("take", "mine.exe")[0] == 0
    assert wanted(daemon) == [os.fsencode(daemon.top / "mine.exe")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_somebody_elses_file_is_taken_from_a_watched_folder_alone(daemon, act):
    for folder in (daemon.top, daemon.downloads):
        (folder / "theirs").write_bytes(b"1")
        os.chown(folder / "theirs", 12345, -1)
    code, _, err = act("take", "theirs")
    assert code == 3
    assert err.startswith("Error: This file belongs to somebody else")
    assert act("take", "Downloads/theirs")[0] == 0
    assert wanted(daemon) == [os.fsencode(daemon.downloads / "theirs")]


def test_a_watched_folder_is_the_persons_own_choice_wherever_it_lies(daemon, act):
    settings = daemon.top / "settings.yaml"
    settings.write_text(settings.read_text().replace("watch: [Downloads]", "watch: [/etc]"))
    assert act("take", "/etc/passwd")[0] == 0
    assert wanted(daemon) == [b"/etc/passwd"]
