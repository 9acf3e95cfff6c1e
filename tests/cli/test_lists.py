"""`checkfirst allow` and `block`, on a real database."""

import hashlib
import json
import os
import time

import pytest

from checkfirst.model import State
from checkfirst.store.database import Database
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists
from checkfirst.store.step import Facts
from tests.cli.journal_scene import DATA, HOSTILE, NOW, SHA
from tests.fakes.clock import FakeClock

A, B = "a" * 64, "b" * 64
MD5, SHA1 = hashlib.md5(DATA).hexdigest(), hashlib.sha1(DATA).hexdigest()


@pytest.fixture
def keep(scene):
    """Puts entries into the database."""
    import asyncio

    def put(*entries):
        async def run():
            database = await Database.open(scene.state / "checkfirst.sqlite", FakeClock())
            try:
                await Lists(database, FakeClock()).add(*entries)
            finally:
                await database.close()

        asyncio.run(run())

    return put


def listed(run, name):
    code, out, err = run(name, "list", "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def settings(scene, text):
    with (scene.top / "settings.yaml").open("a") as file:
        file.write(text)


def test_a_hash_and_a_file_are_added_listed_and_removed(scene, run, act):
    (scene.top / "tool.bin").write_bytes(DATA)
    code, out, err = act("allow", "add", A.upper(), "tool.bin", "--note", "mine\x1b")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"Always released from now on: {A}",
        f"Always released from now on: tool.bin (sha256 {SHA[:12]})",
    ]
    found = listed(run, "allow")
    assert {each["hash"] for each in found} == {A, SHA}
    assert {(each["by"], each["kind"], each["note"]) for each in found} == {
        ("user", "sha256", "mine\x1b")
    }
    shown = run("allow", "list")[1]
    assert "mine\\x1b" in shown
    assert A[:16] in shown
    assert listed(run, "block") == []
    assert act("allow", "remove", A[:6], "./tool.bin")[0] == 0
    assert listed(run, "allow") == []
    assert run("allow", "list")[1] == "Your allow list is empty.\n"


def test_a_file_lends_its_name_as_a_note(scene, run, act):
    with open(os.path.join(os.fsencode(scene.top), HOSTILE), "wb") as file:
        file.write(DATA)
    code, out, _ = act("block", "add", os.fsdecode(HOSTILE))
    assert code == 0
    assert "\x1b" not in out
    assert out.startswith("Never released from now on: ")
    (entry,) = listed(run, "block")
    assert entry["note"] == "[red]\\x1b[2J\\x0a\\xff[b] \\u202eexe.txt"


def test_an_entry_lasts_as_long_as_it_is_said(scene, run, act):
    code, out, _ = act("block", "add", A, "--for", "30d")
    assert code == 0
    assert "until 20" in out
    (entry,) = listed(run, "block")
    assert entry["expires_at"] > entry["added_at"]
    assert act("block", "add", A)[1].splitlines()[1].startswith("  It was on the list already")
    assert listed(run, "block")[0]["expires_at"] is None
    assert run("block", "add", A, "--for", "0s")[0] == 2
    assert "30s, 5m" in run("block", "add", A, "--for", "soon")[2]


def test_what_has_expired_is_on_no_list(scene, run, act, keep):
    keep(Listed(A, ListName.BLOCK, ListedBy.USER, 1.0, expires_at=2.0))
    assert listed(run, "block") == []
    assert act("allow", "add", A)[0] == 0  # nothing blocks it any more
    assert act("block", "remove", A)[0] == 3


@pytest.mark.parametrize(
    ("word", "told"),
    [
        (MD5, "two files can be made to have the same"),
        (SHA1, "looks like SHA-1"),
        ("a" * 128, "looks like SHA-512"),
        ("a" * 63, "It has 63 hexadecimal digits"),
        ("nowhere.txt", "There is no such file"),
        (".", "Name regular files"),
        ("no\x1b[2Jwhere", "no\\x1b[2Jwhere"),
    ],
)
def test_what_cannot_be_allowed_is_told_and_nothing_is_added(scene, run, word, told):
    code, out, err = run("allow", "add", word, A)
    assert (code, out) == (2, "")
    assert told in err
    assert "Traceback" not in err
    assert listed(run, "allow") == []


def test_all_problems_come_at_once(scene, run):
    code, _, err = run("allow", "add", "nowhere", "neither", MD5)
    assert code == 2
    assert err.count("Error:") == 3


def test_md5_and_sha1_can_be_blocked(scene, run, act):
    code, out, _ = act("block", "add", MD5.upper(), SHA1)
    assert code == 0
    assert out.count("what was released of late is read for it when checkfirst runs") == 2
    assert {each["kind"] for each in listed(run, "block")} == {"md5", "sha1"}
    assert f"{MD5[:16]} (MD5)" in run("block", "list")[1]
    (scene.top / "tool.bin").write_bytes(DATA)
    code, _, err = act("allow", "add", "tool.bin")
    assert code == 2
    assert "on your block list, which wins" in err
    assert act("block", "remove", "tool.bin")[0] == 0
    assert len(listed(run, "block")) == 1


def test_a_word_that_looks_like_a_hash_is_one(scene, run, act):
    (scene.top / A).write_bytes(DATA)
    code, _, err = act("allow", "add", A)
    assert code == 0
    assert f"./{A}" in err
    assert [each["hash"] for each in listed(run, "allow")] == [A]
    assert act("allow", "add", f"./{A}")[0] == 0
    assert [each["hash"] for each in listed(run, "allow")] == [A, SHA]


def test_block_beats_allow_both_ways(scene, run, act):
    assert act("block", "add", A)[0] == 0
    code, _, err = act("allow", "add", A)
    assert code == 2
    assert f"checkfirst block remove {A}" in err
    assert act("allow", "add", B)[0] == 0
    code, out, _ = act("block", "add", B)
    assert code == 0
    assert "It is off your allow list" in out
    assert (listed(run, "allow"), len(listed(run, "block"))) == ([], 2)


@pytest.mark.parametrize("by", [ListedBy.RESTORE, ListedBy.RELEASE])
def test_what_was_restored_or_released_keeps_its_weight_and_can_be_blocked(scene, act, keep, by):
    keep(Listed(A, ListName.ALLOW, by, NOW, "tool"))
    assert act("allow", "add", A, "--for", "900d")[0] == 0
    entry = scene.listed(A)
    assert (entry.origin, entry.note, entry.expires_at is None) == (by, "tool", False)
    assert act("block", "add", A)[0] == 0
    assert (scene.listed(A).list, scene.listed(A).origin) == (ListName.BLOCK, ListedBy.USER)


def test_the_settings_lists_are_shown_with_their_place_and_have_their_say(scene, run, act):
    path = scene.top / "bad.txt"
    path.write_text(f"# bad\n{A}\nrubbish\n")
    settings(scene, f"lists: {{allow: ['{B}'], block: [bad.txt]}}\n")
    code, out, err = run("block", "list", "--json")
    assert code == 0
    assert f"{path}:3: there is no hash in this line" in err
    (entry,) = json.loads(out)
    assert (entry["hash"], entry["by"], entry["place"]) == (A, "settings", f"{path}:2")
    assert f"{path}:2" in run("block", "list")[1]
    assert listed(run, "allow")[0]["place"] == "settings"

    code, _, err = act("allow", "add", A)
    assert code == 2
    assert f"Take it out there first: {path}:2" in err
    code, out, _ = act("block", "add", B)
    assert code == 0
    assert "Your settings allow it (settings); the block wins." in out
    code, _, err = act("block", "remove", A, B)
    assert code == 3
    assert f"Take it out there: {path}:2" in err
    assert len(listed_quietly(run, "block")) == 1


def listed_quietly(run, name):
    return json.loads(run(name, "list", "--json")[1])


def test_what_is_not_on_the_list_cannot_be_removed(scene, run, act):
    assert act("allow", "add", A, A[:-1] + "b")[0] == 0
    assert "checkfirst allow remove" in act("block", "remove", A)[2]
    code, _, err = act("allow", "remove", "a" * 20)
    assert code == 3
    assert "2 entries begin so" in err
    code, out, err = act("allow", "remove", B, A)
    assert code == 3
    assert "not on your allow list" in err
    assert f"No longer on your allow list: {A}" in out


def test_files_that_are_here_already_are_told_of(scene, act):
    out_at = scene.released / "tool.bin"
    number = scene.arrive(
        b"tool.bin",
        State.RELEASED,
        Facts(sha256=SHA, destination=os.fsencode(out_at), finished_at=NOW),
    )
    stopped = scene.quarantine(b"other.bin")
    waiting = scene.arrive(b"third.bin", State.WAITING, Facts(sha256=SHA))
    code, out, _ = act("block", "add", SHA)
    assert code == 0
    assert f"as {out_at} and is gone (number {number})" in out
    assert f"third.bin (number {waiting}) is held and is decided when checkfirst runs" in out
    assert "quarantine" not in out
    out_at.parent.mkdir()
    out_at.write_bytes(DATA)
    out = act("block", "add", SHA)[1]
    assert "lies there still" in out
    # It is long past, and `take` takes nothing from the released folder.
    assert f"To have it in the quarantine, move it into {scene.downloads}." in out
    fresh = Facts(
        sha256=SHA, destination=os.fsencode(out_at), decided_at=time.time(), finished_at=time.time()
    )
    scene.arrive(b"tool.bin", State.RELEASED, fresh)
    assert "is taken into the quarantine when checkfirst runs" in act("block", "add", SHA)[1]
    settings(scene, "recheck: {for: 0s}\n")
    assert "is taken into the quarantine" not in act("block", "add", SHA)[1]
    assert act("block", "remove", SHA)[0] == 0
    code, out, _ = act("allow", "add", SHA)
    assert f"checkfirst quarantine restore {stopped}" in out
    assert "third.bin" in out
    assert "tool.bin" not in out


def test_ids_names_digits_and_patterns_mean_what_they_mean_elsewhere(scene, run, act):
    first = scene.arrive(b"tool.bin", State.RELEASED, Facts(sha256=A))
    scene.arrive(b"tool.bin", State.QUARANTINED, Facts(sha256=B))
    unread = scene.arrive(HOSTILE, State.HELD)
    code, out, _ = act("block", "add", str(first))
    assert (code, out) == (0, f"Never released from now on: tool.bin (sha256 {A[:12]})\n")
    code, _, err = act("block", "add", "tool.bin")
    assert code == 2
    assert "2 files with different contents are meant by that" in err
    assert "Name one by its id: 2, 1." in err
    assert "has not been read yet" in act("block", "add", str(unread))[2]
    assert act("block", "add", "tool.*", B[:8])[0] == 0
    assert {each["hash"] for each in listed(run, "block")} == {A, B}
    assert "2 files are meant by that" in act("block", "remove", "tool.*")[2]
    assert act("block", "remove", "2")[0] == 0
    assert act("block", "remove", str(scene.downloads / "tool.bin"))[0] == 3
    assert [each["hash"] for each in listed(run, "block")] == [A]


def test_a_file_that_lies_here_comes_before_a_name_and_is_not_taken_for_a_number(scene, run, act):
    number = scene.arrive(b"tool.bin", State.RELEASED, Facts(sha256=A))
    (scene.top / "tool.bin").write_bytes(DATA)
    (scene.top / str(number)).write_bytes(DATA)
    assert act("allow", "add", "tool.bin", f"./{number}")[0] == 0
    assert [each["hash"] for each in listed(run, "allow")] == [SHA]
    code, _, err = act("allow", "add", str(number))
    assert code == 2
    assert f"Give ./{number} for the one that lies here, {A} for the other." in err


def test_why_tells_what_the_lists_say_now(scene, run, keep):
    scene.quarantine(b"tool.bin")
    assert "not on your lists" in run("why", "tool.bin")[1]
    settings(scene, f"lists: {{block: ['{SHA}']}}\n")
    keep(Listed(SHA, ListName.ALLOW, ListedBy.RESTORE, NOW, "tool\x1b", NOW + 9e8))
    out = " ".join(run("why", "tool.bin")[1].split())
    assert "on your allow list by a restore since 2025-11-24 16:00:00, until 2054-" in out
    assert "tool\\x1b; on the block list of your settings (settings)" in out


def test_without_a_right_to_write_it_is_told(scene, act):
    (scene.top / "state").write_text("no folder")
    code, _, err = act("allow", "add", A)
    assert code == 3
    assert "Traceback" not in err
