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
