import json

import pytest

from checkfirst.model import State
from checkfirst.store.step import Facts
from checkfirst.store.submissions import Sent
from tests.cli.journal_scene import HOSTILE, NOW, SHA


def test_json_has_the_promised_keys_and_values(scene, run):
    number = scene.quarantine(HOSTILE)
    code, out, err = run("history", "--json")
    assert (code, err) == (0, "")
    (row,) = json.loads(out)
    folder = row.pop("destination")
    assert folder.startswith(str(scene.top / "quarantine" / "2025-11-24 "))
    assert row == {
        "id": str(number),
        "name": "[red]\\x1b[2J\\x0a\\xff[b] \\u202eexe.txt",
        "origin": f"{scene.downloads}/[red]\\x1b[2J\\x0a\\xff[b] \\u202eexe.txt",
        "sha256": SHA,
        "size": 10,
        "state": "quarantined",
        "verdict": "malicious",
        "source": "virustotal",
        "reason": "3 of 64 engines call it malicious",
        "detections": 3,
        "engines": 64,
        "report_url": "https://www.virustotal.com/gui/file/x",
        "arrived_at": "2025-11-24T16:00:00Z",
        "decided_at": "2025-11-24T16:00:02Z",
        "until": None,
        "submitted_at": None,
        "origin_url": None,
    }


def test_newest_first_and_no_more_than_asked_for(scene, run):
    for name in (b"one", b"two", b"three"):
        scene.arrive(name, State.RELEASED)
    _, out, _ = run("history", "--json", "--limit", "2")
    assert [row["name"] for row in json.loads(out)] == ["three", "two"]


def test_only_some_states(scene, run):
    scene.arrive(b"one", State.RELEASED)
    scene.arrive(b"two", State.LEFT)
    scene.arrive(b"three", State.WAITING)
    _, out, _ = run("history", "--json", "--state", "left", "--state", "waiting")
    assert [row["name"] for row in json.loads(out)] == ["three", "two"]


def test_the_table_is_aligned_text_without_markup_or_codes(scene, run):
    scene.arrive(HOSTILE, State.RELEASED, Facts(reason="because"))
    scene.arrive(b"a", State.WAITING, Facts(reason="why not"))
    code, out, _ = run("history")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["id", "arrived", "state", "verdict", "name", "reason"]
    assert "[red]\\x1b[2J\\x0a\\xff[b] \\u202eexe.txt" in lines[2]
    assert lines[1].index("why not") == lines[2].index("because")
    assert all(line.isprintable() for line in lines)


def test_nothing_yet(scene, run):
    assert run("history") == (0, "No file has arrived yet.\n", "")
    assert run("history", "--json") == (0, "[]\n", "")


@pytest.mark.parametrize("word", ["two.exe", "t*.exe", "2"])
def test_only_one_file_or_those_of_a_pattern(scene, run, word):
    scene.arrive(b"one.exe", State.RELEASED)
    scene.arrive(b"two.exe", State.RELEASED)
    scene.arrive(b"two.exe", State.LEFT)
    found = json.loads(run("history", "--json", word, "--state", "released")[1])
    assert [row["id"] for row in found] == ["2"]


@pytest.mark.parametrize(
    ("since", "ids"),
    [("2025-11-25", []), ("2025-11-24", ["1"]), ("2025-11-24T15:59", ["1"]), ("36500d", ["1"])],
)
def test_only_since_then(scene, run, since, ids):
    scene.arrive(b"one.exe", State.RELEASED)
    for more in ([], ["one.exe"], ["--state", "released"]):
        found = json.loads(run("history", "--json", "--since", since, *more)[1])
        assert [row["id"] for row in found] == ids
    assert run("history", "--since", "1s")[1] == "There is no such file.\n"


def test_a_file_that_never_arrived_is_one_for_why(scene, run):
    scene.arrive(b"one.exe", State.RELEASED)
    code, out, err = run("history", "two.exe")
    assert (code, out) == (0, "There is no such file.\n")
    assert "checkfirst why FILE" in err


def test_a_time_that_is_none_is_a_wrong_command(scene, run):
    code, _, err = run("history", "--since", "yesterday")
    assert code == 2
    assert "2026-11-24" in err


OTHER = "ab" * 32


def test_everything_that_left_is_listed_with_or_without_a_file(scene, run):
    number = scene.quarantine(HOSTILE)
    scene.submit(Sent(SHA, NOW + 9, 10, HOSTILE), Sent(OTHER, NOW + 5, 7, b"checked\n.exe"))
    code, out, err = run("history", "--submitted", "--json")
    assert (code, err) == (0, "")
    file, other = json.loads(out)
    (row,) = json.loads(run("history", "--json")[1])
    assert file == row
    assert (file["id"], file["submitted_at"]) == (str(number), "2025-11-24T16:00:09Z")
    assert other.keys() == row.keys()
    assert {key: value for key, value in other.items() if value is not None} == {
        "name": "checked\\x0a.exe",
        "sha256": OTHER,
        "size": 7,
        "submitted_at": "2025-11-24T16:00:05Z",
    }


def test_what_left_is_told_to_a_person(scene, run):
    assert run("history", "--submitted") == (0, "Nothing was ever uploaded.\n", "")
    scene.quarantine(HOSTILE)
    scene.submit(Sent(SHA, NOW + 9, 10, HOSTILE), Sent(OTHER, NOW + 5, 7, b"checked.exe"))
    _, out, _ = run("history", "--submitted")
    heading, first, second = out.splitlines()
    assert heading.split() == ["submitted", "id", "name", "size", "verdict", "sha256"]
    assert "[red]\\x1b[2J\\x0a\\xff[b] \\u202eexe.txt" in first
    assert first.index(SHA) == second.index(OTHER) == heading.index("sha256")
    assert "checked.exe" in second
    _, out, _ = run("history", "--submitted", "--limit", "1")
    assert len(out.splitlines()) == 2
    _, out, _ = run("history", "--submitted", "--json", "--since", "2025-11-24T16:00:06")
    assert [each["sha256"] for each in json.loads(out)] == [SHA]


def test_uploads_have_no_state(scene, run):
    code, _, err = run("history", "--submitted", "--state", "left")
    assert code == 2
    assert "no state" in err
