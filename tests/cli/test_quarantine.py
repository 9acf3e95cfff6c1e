import hashlib
import json
import os
import shutil
import stat

import pytest

from checkfirst.model import State
from checkfirst.store.listed import ListedBy, ListName
from tests.cli.journal_scene import DATA, HOSTILE, SHA


def test_list_as_json_has_the_keys_of_history(scene, run):
    scene.quarantine(b"setup.exe")
    scene.arrive(b"other", State.RELEASED)
    code, out, _ = run("quarantine", "list", "--json")
    assert code == 0
    assert json.loads(out) == json.loads(run("history", "--json", "--state", "quarantined")[1])
    assert list(json.loads(out)[0]) == [
        *("id", "name", "origin", "sha256", "size", "state", "verdict", "source", "reason"),
        *("detections", "engines", "report_url", "destination", "arrived_at", "decided_at"),
        *("until", "submitted_at", "origin_url"),
    ]


def test_an_empty_quarantine(scene, run):
    assert run("quarantine", "list") == (0, "The quarantine is empty.\n", "")


def test_listing_and_showing_hostile_names_is_harmless(scene, run):
    scene.quarantine(HOSTILE)
    for command in (("list",), ("show", "1")):
        code, out, _ = run("quarantine", *command)
        assert code == 0
        assert "[red]\\x1b[2J\\x0a\\xff" in out
        assert all(line.isprintable() for line in out.splitlines())


@pytest.mark.parametrize("word", ["1", "setup.exe", SHA[:10], "*.exe"])
def test_restore_puts_the_file_into_the_released_folder_and_allows_it(scene, act, word):
    number = scene.quarantine(b"setup.exe")
    payload = scene.payload(number)
    code, out, err = act("quarantine", "restore", word)
    assert (code, err) == (0, "")
    back = scene.released / "setup.exe"
    assert str(back) in out
    assert back.read_bytes() == DATA
    assert stat.S_IMODE(back.stat().st_mode) == 0o640
    assert not payload.parent.exists()
    row = scene.row(number)
    assert (row.state, row.destination) == (State.RESTORED, os.fsencode(back))
    entry = scene.listed(SHA)
    assert (entry.list, entry.origin) == (ListName.ALLOW, ListedBy.RESTORE)


def test_restore_never_overwrites(scene, act):
    scene.quarantine(b"setup.exe")
    scene.released.mkdir()
    (scene.released / "setup.exe").write_bytes(b"another")
    assert act("quarantine", "restore", "1")[0] == 0
    assert (scene.released / "setup.exe").read_bytes() == b"another"
    assert (scene.released / "setup (1).exe").read_bytes() == DATA


def test_restore_to_another_folder(scene, act):
    scene.quarantine(b"setup.exe")
    assert act("quarantine", "restore", "1", "--to", "elsewhere")[0] == 0
    assert (scene.top / "elsewhere" / "setup.exe").read_bytes() == DATA


@pytest.mark.parametrize("to", ["Downloads", "Downloads/../Downloads", "link"])
def test_restore_into_a_watched_folder_is_refused(scene, act, to):
    number = scene.quarantine(b"setup.exe")
    (scene.top / "link").symlink_to(scene.downloads)
    code, _, err = act("quarantine", "restore", "1", "--to", to)
    assert code == 3
    assert "watched folder" in err
    assert "--to" in err
    assert scene.row(number).state is State.QUARANTINED
    assert scene.payload(number).exists()


def test_a_payload_that_was_exchanged_is_not_given_back(scene, act):
    number = scene.quarantine(b"setup.exe")
    payload = scene.payload(number)
    payload.chmod(0o600)
    payload.write_bytes(b"something else")
    code, _, err = act("quarantine", "restore", "1")
    assert code == 3
    assert "not the one that was put there" in err
    assert scene.row(number).state is State.QUARANTINED
    assert payload.exists()
    assert not (scene.released / "setup.exe").exists()


def test_a_name_that_means_several_files_is_refused_unless_it_is_a_pattern(scene, act):
    numbers = [scene.quarantine(b"setup.exe", data) for data in (b"1", b"2")]
    code, _, err = act("quarantine", "restore", "setup.exe")
    assert code == 3
    assert all(str(number) in err for number in numbers)
    assert {scene.row(number).state for number in numbers} == {State.QUARANTINED}
    assert act("quarantine", "delete", "setup.*", "--yes")[0] == 0
    assert {scene.row(number).state for number in numbers} == {State.DELETED}


def test_delete_removes_payload_and_folder(scene, act):
    number = scene.quarantine(b"setup.exe")
    payload = scene.payload(number)
    code, out, _ = act("quarantine", "delete", "1", "--yes")
    assert code == 0
    assert "setup.exe" in out
    assert not payload.parent.exists()
    assert scene.row(number).state is State.DELETED
    assert scene.listed(SHA) is None


def test_delete_while_the_quarantine_is_away_says_so_and_does_nothing(scene, act):
    number = scene.quarantine(b"setup.exe")
    before = scene.row(number)
    (scene.top / "quarantine").rename(scene.top / "disk")
    (scene.top / "quarantine").mkdir()
    code, out, err = act("quarantine", "delete", "1", "--yes")
    assert (code, out) == (3, "")
    assert "The file is not in the quarantine, so nothing was done" in err
    assert "Is the disk of the quarantine mounted?" in err
    (scene.top / "quarantine").rmdir()
    code, out, err = act("quarantine", "delete", "1", "--yes")
    assert (code, out) == (3, "")
    assert "The quarantine is away, so nothing was done" in err
    assert "removed" not in err
    assert scene.row(number) == before


def test_the_only_file_can_be_removed_by_hand_and_then_be_deleted_as_it_is_told(scene, act):
    number = scene.quarantine(b"setup.exe")
    folder = scene.payload(number).parent
    shutil.rmtree(folder)
    code, _, err = act("quarantine", "delete", "1", "--yes")
    assert code == 3
    assert "make an empty one of that name" in err
    assert str(folder) in err
    folder.mkdir()
    assert act("quarantine", "delete", "1", "--yes")[:2] == (0, "deleted  setup.exe\n")
    assert not folder.exists()


def test_a_folder_that_nothing_can_be_restored_to_is_named_and_nothing_is_promised(scene, act):
    number = scene.quarantine(b"setup.exe")
    code, out, err = act("quarantine", "restore", "1", "--to", "/proc/nowhere")
    assert (code, out) == (3, "")
    assert "Could not open the folder that it is to go to: the folder is not there" in err
    assert "\n  /proc/nowhere\n" in err
    assert "again" not in err
    assert scene.payload(number).exists()


def test_delete_tells_what_remains(scene, act):
    number = scene.quarantine(b"setup.exe")
    report = scene.payload(number).with_name("report.txt")
    report.unlink()
    report.mkdir()
    code, out, err = act("quarantine", "delete", "1", "--yes")
    assert (code, out) == (0, "deleted  setup.exe\n")
    assert "setup.exe is deleted. Its report could not be removed" in err
    assert scene.row(number).state is State.DELETED


def test_delete_is_refused_when_nobody_can_be_asked(scene, act):
    number = scene.quarantine(b"setup.exe")
    code, _, err = act("quarantine", "delete", "1")
    assert code == 3
    assert "--yes" in err
    assert scene.payload(number).exists()


def test_what_is_not_ours_stays_and_is_named(scene, act):
    number = scene.quarantine(b"setup.exe")
    stranger = scene.payload(number).parent / "notes\x1b.txt"
    stranger.write_text("mine")
    code, out, err = act("quarantine", "delete", "1", "--yes")
    assert code == 0
    assert "notes\\x1b.txt" in out + err
    assert stranger.exists()
    assert not (stranger.parent / "payload.quarantined").exists()


def test_delete_by_age(scene, act):
    number = scene.quarantine(b"old.exe")
    assert act("quarantine", "delete", "--older-than", "36500d", "--yes")[0] == 0
    assert scene.row(number).state is State.QUARANTINED
    assert act("quarantine", "delete", "--older-than", "1s", "--yes")[0] == 0
    assert scene.row(number).state is State.DELETED


@pytest.mark.parametrize("arguments", [["delete"], ["delete", "--older-than", "soon"]])
def test_what_cannot_be_meant_is_a_usage_error(scene, run, arguments):
    assert run("quarantine", *arguments)[0] == 2


@pytest.mark.parametrize("verb", ["show", "restore", "delete"])
def test_a_released_file_is_not_in_the_quarantine(scene, run, verb):
    scene.arrive(b"file", State.RELEASED)
    code, _, err = run("quarantine", verb, "file")
    assert code == 3
    assert "file" in err


def test_one_that_cannot_be_restored_does_not_stop_the_others(scene, act):
    bad = scene.quarantine(b"bad.exe", b"bad")
    good = scene.quarantine(b"good.exe", b"good")
    scene.payload(bad).unlink()
    code, _, err = act("quarantine", "restore", str(bad), str(good))
    assert code == 3
    assert err.startswith("Error: ")
    assert scene.row(good).state is State.RESTORED
    sha256 = hashlib.sha256(b"good").hexdigest()
    assert scene.listed(sha256).origin is ListedBy.RESTORE


def test_a_file_in_another_state_is_told_with_it(scene, run):
    scene.arrive(b"one.exe", State.RELEASED)
    code, _, err = run("quarantine", "show", "one.exe")
    assert code == 3
    assert "There is no such file (quarantined)" in err
    assert "It is released now: checkfirst why 1" in err
    scene.arrive(b"two.exe", State.GONE)
    code, _, err = run("quarantine", "show", "*.exe")
    assert code == 3
    assert "2 others are meant by that: checkfirst history" in err
