"""The looks themselves, at real folders and a real database."""

import asyncio
import os
import threading

import pytest

from checkfirst.clock import SystemClock
from checkfirst.errors import Problem
from checkfirst.model import State
from checkfirst.service.doctor import folders, leftovers, moving
from checkfirst.service.doctor.finding import ok
from checkfirst.service.doctor.folders import Role
from checkfirst.service.doctor.rounds import Check, rounds_blocking
from checkfirst.service.doctor.table import Installation, checks
from checkfirst.settings.load import load
from checkfirst.store.checkup import checkup_blocking
from checkfirst.store.database import Database
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists
from checkfirst.vault.grip import ignore_lease_breaks
from tests.cli.journal_scene import Scene
from tests.sources.knowngood.made import build, digests


def test_a_look_that_hangs_or_fails_hides_no_other():
    gate = threading.Event()

    def hang():
        gate.wait(30)
        return []

    def fail():
        raise RuntimeError("\x1b[2J")

    def refuse():
        raise Problem("It is not to be", "Go home.", about="here")

    looks = [
        Check("folders", hang, "/dead/mount", seconds=0.05),
        Check("one", hang, seconds=0.05),
        Check("two", fail),
        Check("three", refuse),
        Check("four", lambda: [ok("fine")]),
    ]
    try:
        found = dict(rounds_blocking(looks))
    finally:
        gate.set()
    assert found["folders"][0].title == "The folder does not answer within 0.05 seconds"
    assert (found["folders"][0].level, found["folders"][0].about) == ("problem", "/dead/mount")
    assert (found["one"][0].level, found["one"][0].title[:19]) == ("note", "This look is not do")
    assert "RuntimeError: \\x1b[2J" in found["two"][0].title
    assert (found["three"][0].title, found["three"][0].to_do) == ("It is not to be", "Go home.")
    assert found["four"] == [ok("fine")]


@pytest.fixture
def scene(tmp_path, monkeypatch):
    ignore_lease_breaks()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Downloads").mkdir()
    (tmp_path / "settings.yaml").write_text(
        "watch: [Downloads]\nreleased: Downloads/Released\nquarantine: quarantine\nstate: state\n"
    )
    return Scene(tmp_path)


def installation(scene):
    environ = {"HOME": str(scene.top / "home"), "CHECKFIRST_VIRUSTOTAL__API_KEY": "k" * 64}
    return Installation(
        loaded=load(None, environ),
        environ=environ,
        clock=SystemClock(),
        token=lambda: "token",
        probe=None,
    )


def everything(folder):
    """Names, modes and content of all there is, less what any reader of a database leaves."""
    return {
        path: (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
        if not path.name.endswith(("-shm", "-wal"))
    }


def test_nothing_is_changed(scene):
    scene.quarantine(b"bad.exe")
    scene.hold(b"held.exe")
    before = everything(scene.top)
    found = dict(rounds_blocking(checks(installation(scene))))
    assert everything(scene.top) == before
    assert set(found) >= {"folders", "moving", "database", "leftovers"}


def test_nothing_is_made_where_checkfirst_has_never_run(scene):
    before = everything(scene.top)
    list(rounds_blocking(checks(installation(scene))))
    assert everything(scene.top) == before


def test_folders_are_seen_as_they_are(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "dangling").symlink_to("nowhere")
    look = folders.look_at_folder_blocking
    path = os.fsencode(tmp_path)
    assert not look(Role.STATE, path + b"/file").is_folder
    seen = look(Role.STATE, path + b"/open")
    assert (seen.mode & 0o077 != 0, seen.is_ours, seen.free > 0) == (True, True, True)
    assert look(Role.STATE, path + b"/new/deeper").can_be_made
    assert not look(Role.STATE, path + b"/dangling").can_be_made
    assert not look(Role.STATE, path + b"/dangling/below").can_be_made
    assert look(Role.STATE, path + b"/file/below").trouble == "Not a directory"


def test_a_trial_shows_how_files_move_and_leaves_nothing(tmp_path):
    ignore_lease_breaks()
    (tmp_path / "w").mkdir()
    (tmp_path / "state/held").mkdir(parents=True, mode=0o700)
    path = os.fsencode(tmp_path)
    facts = moving.look_at_moving_blocking(path + b"/w", path + b"/state", "t")
    assert (facts.renames, facts.trouble) == (True, "")
    assert facts.lease is True
    assert os.listdir(path + b"/w") == os.listdir(path + b"/state/held") == []
    other = moving.look_at_moving_blocking(b"/dev/shm", path + b"/state", "t-of-a-test")
    assert other.renames is False
    assert not any(b"t-of-a-test" in name for name in os.listdir(b"/dev/shm"))


def test_leftovers_are_found_once_they_are_old(scene):
    scene.hold(b"known.exe")
    slot = scene.state / "held" / "strange"
    slot.mkdir()
    (slot / "nobody.exe").write_bytes(b"x")
    (scene.downloads / ".checkfirst-1-2.partial").write_bytes(b"")
    (scene.downloads / "mine.partial").write_bytes(b"")
    (scene.top / "quarantine" / "by hand").mkdir(parents=True)
    held = os.fsencode(scene.state / "held")
    with_row = {
        os.path.join(held, each, name)
        for each in os.listdir(held)
        for name in os.listdir(os.path.join(held, each))
        if name == b"known.exe"
    }
    arguments = (
        [os.fsencode(scene.downloads)],
        [held],
        os.fsencode(scene.top / "quarantine"),
        with_row,
    )
    now = SystemClock().now()
    young = leftovers.look_at_leftovers_blocking(*arguments, now)
    assert (young.partial, young.held_without_row) == ((), ())
    old = leftovers.look_at_leftovers_blocking(*arguments, now + 7200)
    assert [os.path.basename(path) for path in old.partial] == [b".checkfirst-1-2.partial"]
    assert [os.path.basename(path) for path in old.held_without_row] == [b"nobody.exe"]
    assert [os.path.basename(path) for path in old.without_report] == [b"by hand"]


def test_a_database_is_looked_at_and_left_alone(scene):
    path = scene.state / "checkfirst.sqlite"
    assert not checkup_blocking(path, 1).exists
    scene.arrive(b"x", State.HELD)
    found = checkup_blocking(path, 5)
    assert (found.whole, found.error, found.usable) == (True, None, True)
    assert found.newest > 0
    content = bytearray(path.read_bytes())
    content[4096 : 4096 + 2000] = b"\xff" * 2000
    path.write_bytes(content)
    damaged = checkup_blocking(path, 5)
    assert (damaged.whole, damaged.usable) == (False, False)
    assert path.read_bytes() == content
    assert [each.name for each in scene.state.iterdir() if "corrupt" in each.name] == []
    path.write_bytes(b"no database" * 1000)
    assert checkup_blocking(path, 5).whole is False


def sources_of(scene, text=""):
    with (scene.top / "settings.yaml").open("a") as file:
        file.write(text)
    return dict(rounds_blocking(checks(installation(scene))))


def test_the_known_good_list_is_looked_at(scene):
    path = scene.state / "known-good.cfk"
    assert sources_of(scene)["known-good"] == []
    build(path, digests(3), source="a set")
    (found,) = sources_of(scene)["known-good"]
    assert (found.level, found.about) == ("ok", str(path))
    assert found.title.startswith("The known-good list has 3 hashes (a set, imported ")
    assert found.title.endswith(" days ago)")
    os.truncate(path, 100)
    (found,) = sources_of(scene)["known-good"]
    assert (found.level, "damaged" in found.title) == ("problem", True)
    assert "checkfirst known-good import" in found.to_do


def test_without_virustotal_no_key_is_missed_and_nobody_asked(scene):
    build(scene.state / "known-good.cfk", digests(3), source="a set")
    found = sources_of(scene, "sources: [lists, remembered]\n")
    (account,) = found["virustotal"]
    assert account.level == "note"
    assert "only this machine is asked (lists, remembered)" in account.title
    (listed,) = found["known-good"]
    assert (listed.level, "nobody asks it" in listed.title) == ("note", True)


def test_what_a_killed_import_has_left_is_told_once_it_is_old(scene):
    draft = scene.state / "known-good.cfk.new"
    draft.parent.mkdir()
    draft.write_bytes(b"x" * 5000)
    assert sources_of(scene)["known-good"] == []
    os.utime(draft, (1, SystemClock().now() - 7200))
    (found,) = sources_of(scene)["known-good"]
    assert (found.level, found.about) == ("note", str(draft))
    assert "was cut short and has left 5.0 kB" in found.title


def test_a_missing_known_good_list_is_missed_where_nobody_else_is_asked(scene):
    (found,) = sources_of(scene, "sources: [lists, known-good]\n")["known-good"]
    assert (found.level, "known-good import" in found.to_do) == ("note", True)


def lists_of(scene):
    looks = [each for each in checks(installation(scene)) if each.name == "lists"]
    return [one for _, found in rounds_blocking(looks) for one in found]


def test_files_of_hashes_are_looked_at(scene):
    allow, block = scene.top / "allow.txt", scene.top / "bad\n.txt"
    allow.write_text("# nothing yet\n")
    block.write_text(f"{'a' * 64}\nrubbish\n{'b' * 32}\n{'c' * 40}\nmore rubbish\n")
    os.utime(block, (1, SystemClock().now() - 3 * 86_400 - 60))
    with (scene.top / "settings.yaml").open("a") as file:
        file.write('lists: {allow: [allow.txt], block: ["bad\\n.txt"]}\n')
    empty, *broken, full = lists_of(scene)
    assert (empty.level, empty.about) == ("note", str(allow))
    assert "to allow has 0 hashes, changed just now" in empty.title
    assert [each.level for each in broken] == ["problem", "problem"]
    assert [each.title.split(": ")[0] for each in broken] == [
        f"{scene.top}/bad\\x0a.txt:2",
        f"{scene.top}/bad\\x0a.txt:5",
    ]
    assert "to block has 3 hashes, 2 of them SHA-1 or MD5, changed 3 days ago" in full.title
    assert full.level == "ok"


def test_a_file_of_hashes_that_goes_away_under_the_look_is_told(scene):
    block = scene.top / "block.txt"
    block.write_text(f"{'a' * 64}\n")
    with (scene.top / "settings.yaml").open("a") as file:
        file.write("lists: {block: [block.txt]}\n")
    looks = [each for each in checks(installation(scene)) if each.name == "lists"]
    block.unlink()
    (found,) = [one for _, found in rounds_blocking(looks) for one in found]
    assert (found.level, "cannot be read: No such file" in found.title) == ("problem", True)


def test_what_commands_keep_is_counted(scene):
    until = SystemClock().now() - 5
    entries = [
        Listed("a" * 64, ListName.ALLOW, ListedBy.USER, 1.0),
        Listed("b" * 64, ListName.BLOCK, ListedBy.USER, 1.0),
        Listed("c" * 64, ListName.BLOCK, ListedBy.USER, 1.0, "", until),
    ]

    async def keep():
        database = await Database.open(scene.state / "checkfirst.sqlite", SystemClock())
        try:
            await Lists(database, SystemClock()).add(*entries)
        finally:
            await database.close()

    asyncio.run(keep())
    (found,) = lists_of(scene)
    assert found.title == "Your own lists hold 1 to allow, 1 to block"
