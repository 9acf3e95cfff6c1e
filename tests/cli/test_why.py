import json
import os

import pytest

from checkfirst.model import State, VerdictKind
from checkfirst.store.step import Facts
from tests.cli.journal_scene import DATA, HOSTILE, NOW, SHA
from tests.sources.knowngood.made import build


@pytest.mark.parametrize("word", ["1", "setup.exe", SHA, SHA[:8], "set*"])
def test_a_file_is_found_by_number_name_hash_and_pattern(scene, run, word):
    scene.quarantine(b"setup.exe")
    code, out, _ = run("why", word)
    assert code == 0
    assert out.startswith("setup.exe (quarantined, number 1)\n")


def test_the_story_is_in_order(scene, run):
    scene.quarantine(b"setup.exe")
    _, out, _ = run("why", "setup.exe")
    told = [line.split("  ", 2)[-1].strip() for line in out.splitlines() if "16:00:0" in line]
    assert told[:3] == [
        f"arrived as {scene.downloads}/setup.exe",
        "taken out of reach and identified",
        "judged: malicious",
    ]
    assert told[3].startswith(f"quarantined in {scene.top}/quarantine/")
    assert "3 of 64 engines call it malicious" in out
    assert "they call it  [bold]Bad\\x1b[0m (1)\n" in out


def test_a_waiting_file_says_what_it_waits_for_and_until_when(scene, run):
    scene.arrive(b"file", State.WAITING, Facts(reason="the day's requests", until=NOW + 60))
    _, out, _ = run("why", "file")
    assert "the day's requests" in out
    assert "held, waiting for an answer" in out
    assert "2025-11-24 16:01:00  looked at again" in out


def test_a_file_under_another_name_is_known_by_its_content(scene, run):
    scene.quarantine(b"setup.exe")
    (scene.top / "other.bin").write_bytes(DATA)
    code, out, _ = run("why", "other.bin")
    assert code == 0
    assert out.startswith("setup.exe ")


def test_a_path_means_that_file_alone(scene, run):
    scene.arrive(b"a.txt", State.RELEASED)
    code, _, err = run("why", "elsewhere/b/a.txt")
    assert code == 3
    assert "Nothing is known of this file" in err
    code, out, _ = run("why", "Downloads/a.txt")
    assert code == 0
    assert out.startswith("a.txt ")


def test_hostile_names_are_found_and_shown_harmlessly(scene, run):
    scene.arrive(HOSTILE, State.RELEASED)
    code, out, _ = run("why", os.fsdecode(HOSTILE))
    assert code == 0
    assert all(line.isprintable() for line in out.splitlines())


def test_a_hostile_word_that_means_nothing_is_shown_harmlessly(scene, run):
    code, _, err = run("why", "\x1b[2J\udcff")
    assert code == 3
    assert "\\x1b[2J\\xff" in err
    assert all(line.isprintable() for line in err.splitlines())


def test_other_files_of_that_name_are_named(scene, run):
    for _ in range(2):
        scene.arrive(b"same", State.RELEASED)
    _, out, _ = run("why", "same")
    assert out.startswith("same (released, number 2)")
    assert "Also meant: 1 other\n" in out
    _, out, _ = run("why", "same", "--json")
    assert [row["id"] for row in json.loads(out)] == ["2", "1"]


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_its_words(scene, run, state):
    scene.arrive(b"file", state)
    code, out, _ = run("why", "file")
    assert code == 0
    assert f"({state.value}, number 1)" in out


def told(out: str) -> list[str]:
    return [" ".join(line.split()) for line in out.splitlines()]


def test_it_says_what_each_source_says_now(scene, run):
    scene.quarantine(b"setup.exe")
    _, out, _ = run("why", "setup.exe")
    lines = told(out)
    at = lines.index("What the sources say of it now")
    assert lines[at + 1 :][:4] == [
        "lists not on your lists",
        "remembered nothing is remembered",
        "known-good there is no list",
        "virustotal it had the word: 3 of 64 engines call it malicious",
    ]
    path = scene.state / "known-good.cfk"
    build(path, [bytes.fromhex(SHA)], source="a set")
    assert "known-good on the list (a set)" in told(run("why", "setup.exe")[1])
    build(path, [b"x" * 32])
    sources = json.loads(run("why", "setup.exe", "--json")[1])[0]["sources"]
    assert sources[2] == {"name": "known-good", "says": "not on the list (a test)"}
    os.truncate(path, 50)
    assert "The known-good list is damaged" in run("why", "setup.exe")[1]


def test_it_says_that_a_source_has_not_been_asked(scene, run):
    scene.arrive(b"file", State.RELEASED, Facts(sha256=SHA, source="known-good", reason="on it"))
    assert "virustotal not asked about this file" in told(run("why", "file")[1])
    scene.arrive(b"other", State.WAITING, Facts(sha256=SHA, asked_at=NOW))
    assert "virustotal waited for since 2025-11-24 16:00:00" in told(run("why", "other")[1])
    scene.arrive(b"third", State.RELEASED, Facts(sha256=SHA, asked_at=NOW, source="remembered"))
    said = "virustotal its turn came at 2025-11-24 16:00:00, and remembered had the word before it"
    assert said in told(run("why", "third")[1])


def test_nobody_is_waited_for_when_a_file_is_judged_and_cannot_be_moved(scene, run):
    judged = Facts(
        sha256=SHA,
        asked_at=NOW,
        verdict=VerdictKind.MALICIOUS,
        source="remembered",
        reason="no space is left",
    )
    scene.arrive(b"file", State.HELD, judged)
    assert "waited for" not in run("why", "file")[1]


def test_what_was_blocked_by_another_hash_is_not_called_unlisted(scene, run):
    facts = Facts(sha256=SHA, source="lists", reason="on your block list")
    scene.arrive(b"file", State.QUARANTINED, facts)
    said = "lists not on your lists by its SHA-256 now; they had the word: on your block list"
    assert said in " ".join(run("why", "file")[1].split())


def test_a_file_that_was_never_taken_in_says_why(scene, run):
    scene.arrive(b"a.txt", State.RELEASED)
    (scene.downloads / "b\n.txt").write_bytes(b"")
    code, out, err = run("why", "b\n.txt")
    assert (code, out) == (3, "")
    assert err == (
        "Error: This file was never taken in: checkfirst does not run\n"
        f"  {scene.downloads}/b\\x0a.txt\n"
        "  It is looked at when it starts: checkfirst run\n"
    )
