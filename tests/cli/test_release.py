import hashlib
import os
import stat

import pytest

from checkfirst.model import State
from checkfirst.store.listed import ListedBy, ListName
from tests.cli.journal_scene import DATA, HOSTILE, SHA


def test_a_held_file_goes_to_the_released_folder_and_is_allowed(scene, act):
    number = scene.hold(b"setup.exe")
    held = scene.row(number).held
    code, out, err = act("release", "setup.exe", "--yes")
    assert (code, err) == (0, "")
    there = scene.released / "setup.exe"
    assert str(there) in out
    assert there.read_bytes() == DATA
    assert stat.S_IMODE(there.stat().st_mode) == 0o640
    assert not os.path.lexists(os.path.dirname(held))
    row = scene.row(number)
    assert (row.state, row.destination, row.sha256) == (State.RELEASED, os.fsencode(there), SHA)
    assert row.reason.startswith("released by hand")
    entry = scene.listed(SHA)
    assert (entry.list, entry.origin) == (ListName.ALLOW, ListedBy.RELEASE)


def test_all_that_wait_go(scene, act):
    numbers = [scene.hold(name, name) for name in (b"a", b"bb", b"ccc")]
    assert act("release", "--all", "--yes")[0] == 0
    assert {scene.row(number).state for number in numbers} == {State.RELEASED}
    assert sorted(os.listdir(scene.released)) == ["a", "bb", "ccc"]


def test_nothing_held(scene, act):
    assert act("release", "--all", "--yes") == (0, "No file is held.\n", "")


def test_hostile_names_are_shown_harmlessly(scene, act):
    scene.hold(HOSTILE)
    code, out, _ = act("release", "1", "--yes")
    assert code == 0
    assert all(line.isprintable() for line in out.splitlines())
    assert os.listdir(os.fsencode(scene.released)) == [HOSTILE]


def test_what_the_daemon_has_in_hand_is_left_alone(scene, act):
    number = scene.hold(b"setup.exe")

    async def claim(journal):
        journal._process = "another"
        await journal.claim([number])

    scene.journal(claim)
    code, _, err = act("release", "1", "--yes")
    assert code == 3
    assert "checkfirst why 1" in err
    assert scene.row(number).state is State.WAITING
    assert os.path.exists(scene.row(number).held)


def test_a_file_that_somebody_writes_is_not_released(scene, act):
    number = scene.hold(b"setup.exe")
    with open(scene.row(number).held, "ab"):
        code, _, err = act("release", "1", "--yes")
    assert code == 3
    assert "open for writing" in err
    assert "The program that writes it has to close it first." in err
    assert scene.row(number).state is State.WAITING


def test_a_file_that_is_gone_is_told(scene, act):
    number = scene.hold(b"setup.exe")
    os.unlink(scene.row(number).held)
    code, _, err = act("release", "1", "--yes")
    assert code == 3
    assert "no longer there" in err


@pytest.mark.parametrize("arguments", [[], ["file", "--all"]])
def test_either_files_or_all(scene, run, arguments):
    assert run("release", *arguments)[0] == 2


def test_a_quarantined_file_is_not_held(scene, act):
    scene.quarantine(b"setup.exe")
    code, _, err = act("release", "setup.exe", "--yes")
    assert code == 3
    assert "setup.exe" in err
    assert scene.listed(hashlib.sha256(DATA).hexdigest()) is None
