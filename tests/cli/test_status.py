import json
import os

import pytest

from checkfirst.cli.status import look_blocking, wait_blocking
from checkfirst.model import FolderHealth, Outlook, SourceHealth, State
from checkfirst.service.lock import only_one
from checkfirst.settings.glance import glance_blocking
from checkfirst.store.step import Facts
from tests.cli.journal_scene import HOSTILE, NOW, SHA

FOLDER = FolderHealth(b"/home/me/\xff", "native", healthy=True, moves="rename")
SOURCE = SourceHealth("virustotal", 4, 3, healthy=True, mean_seconds=1.5)


@pytest.fixture
def daemon(scene):
    """The lock of a running daemon, held by this process."""
    scene.state.mkdir()
    with only_one(scene.state):
        yield scene


def test_json_has_the_promised_keys_and_values(daemon, run):
    daemon.arrive(HOSTILE, State.WAITING, Facts(sha256=SHA, reason="asked", until=NOW))
    daemon.arrive(b"held", State.HELD)
    daemon.arrive(b"done", State.RELEASED, Facts(decided_at=NOW + 5))
    outlook = (Outlook(SHA, "the minute's requests are used up", NOW + 60),)
    daemon.snapshot(watching=(FOLDER,), sources=(SOURCE,), outlook=outlook)
    code, out, err = run("status", "--json")
    assert (code, err) == (0, "")
    seen = json.loads(out)
    held = {"id": "2", "name": "held", "reason": None, "until": None}
    assert seen == {
        "state": "running",
        "pid": os.getpid(),
        "mode": "normal",
        "watching": [
            {
                "path": "/home/me/\\xff",
                "watcher": "native",
                "healthy": True,
                "moves": "rename",
                "leases": True,
                "folders_not_looked_into": 0,
                "folders_left_out": 0,
            }
        ],
        "counts": {"held": 1, "waiting": 1, "released": 1, "quarantined": 0},
        "waiting": [
            {
                "id": "1",
                "name": "[red]\\x1b[2J\\x0a\\xff[b] \\u202eexe.txt",
                "reason": "the minute's requests are used up",
                "until": "2025-11-24T16:01:00Z",
            },
            held,
        ],
        "quota": {
            "minute": {"used": 0, "limit": 4},
            "day": {"used": 0, "limit": 500},
            "month": {"used": 0, "limit": 15500},
        },
        "sources": [
            {
                "name": "virustotal",
                "asked": 4,
                "answered": 3,
                "healthy": True,
                "mean_seconds": 1.5,
                "problem": None,
            }
        ],
        "last_verdict_at": "2025-11-24T16:00:05Z",
        "problems": [],
        "note": None,
        "second_look": {"files": 0, "next_at": None},
    }


def test_a_long_hostile_name_is_cut_in_the_middle_also_without_a_terminal(daemon, run):
    daemon.arrive(b"a" + b"\x1b" * 250 + b".exe", State.HELD)
    out = run("status")[1]
    (line,) = [line for line in out.splitlines() if ".exe" in line]
    assert len(line) <= 80
    assert "a\\x1b" in line
    assert "\x1b" not in out
    assert len(json.loads(run("status", "--json")[1])["waiting"][0]["name"]) == 1005


def test_stopped_is_3_and_says_where_it_looked(scene, run):
    scene.snapshot(watching=(FOLDER,), problems=("of yesterday",))
    code, out, _ = run("status")
    assert code == 3
    assert out.startswith("checkfirst is stopped")
    assert str(scene.state) in out
    assert str(scene.top / "settings.yaml") in out
    assert "of yesterday" not in out


def test_a_problem_makes_it_degraded(daemon, run):
    daemon.snapshot(problems=("The key was refused. Set another",))
    code, out, _ = run("status")
    assert code == 1
    assert out.startswith(f"checkfirst is degraded (process {os.getpid()}, mode normal)")
    assert "  The key was refused. Set another" in out


def test_what_could_not_be_taken_is_a_problem(daemon, run):
    daemon.snapshot()
    daemon.arrive(HOSTILE, State.LEFT, Facts(reason="no space is left on the disk"))
    code, out, _ = run("status", "--json")
    assert code == 1
    (problem,) = json.loads(out)["problems"]
    assert problem.endswith("could not be taken: no space is left on the disk")
    assert problem.isprintable()


def test_a_folder_or_source_that_is_not_well_is_a_problem(daemon, run):
    folder = FolderHealth(b"/gone", "native", False, "rename", problem="/gone is not there")
    source = SourceHealth("virustotal", 1, 0, healthy=False, problem="it cannot be reached")
    daemon.snapshot(watching=(folder,), sources=(source,), problems=("/gone is not there",))
    _, out, _ = run("status", "--json")
    assert json.loads(out)["problems"] == ["/gone is not there", "it cannot be reached"]


def test_a_folder_where_nothing_can_be_proven_is_told(daemon, run):
    daemon.snapshot(watching=(FolderHealth(b"/nfs", "polling", True, "copy", leases=False),))
    assert "held by copy, without leases" in run("status")[1]
    assert json.loads(run("status", "--json")[1])["watching"][0]["leases"] is False


def test_sub_folders_that_nobody_looks_into_are_told_with_their_cause(daemon, run):
    left = FolderHealth(b"/d", "native", True, "rename", folders_left_out=1)
    locked = FolderHealth(b"/e", "native", True, "rename", folders_not_looked_into=3)
    daemon.snapshot(watching=(left, locked))
    code, out, _ = run("status")
    assert code == 0
    assert "  1 sub-folder is not looked into, as intake.recursive is false: /d\n" in out
    assert "  3 sub-folders cannot be looked into: unreadable, or over 64 levels deep: /e\n" in out
    watching = json.loads(run("status", "--json")[1])["watching"]
    assert [each["folders_left_out"] for each in watching] == [1, 0]


def test_sources_are_told_with_counts_times_and_what_their_choice_means(daemon, run):
    fast = SourceHealth("lists", 9, 2, healthy=True, mean_seconds=0.00123)
    broken = SourceHealth("known-good", 7, 0, healthy=False, problem="the list is damaged")
    daemon.snapshot(sources=(fast, broken), note="only this machine is asked")
    code, out, _ = run("status")
    assert code == 1
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "lists 9 asked 2 answered 1.2 ms each" in lines
    assert "known-good 7 asked 0 answered not well, see below" in lines
    assert "Note: only this machine is asked." in lines
    assert json.loads(run("status", "--json")[1])["note"] == "only this machine is asked"


def test_a_snapshot_of_another_process_says_nothing_of_this_daemon(daemon, run):
    daemon.snapshot(pid=1, watching=(FOLDER,), problems=("of another life",))
    code, out, _ = run("status", "--json")
    assert code == 0
    assert (json.loads(out)["watching"], json.loads(out)["problems"]) == ([], [])


def test_no_limit_is_null(scene, run):
    with (scene.top / "settings.yaml").open("a") as file:
        file.write("virustotal: {per_day: 0}\n")
    _, out, _ = run("status", "--json")
    assert json.loads(out)["quota"]["day"] == {"used": 0, "limit": None}


def test_waiting_files_are_listed_with_reason_and_no_terminal_code(daemon, run):
    for number in range(12):
        daemon.arrive(HOSTILE + b"%d" % number, State.WAITING, Facts(reason="\x1b]0;asked\x07"))
    daemon.snapshot()
    _, out, _ = run("status")
    assert out.count("\\x1b]0;asked\\x07") == 10
    assert "and 2 more" in out
    assert out.replace("\n", "").isprintable()


def test_wait_comes_back_when_the_last_file_has_its_end(daemon):
    daemon.snapshot()
    number = daemon.arrive(b"file", State.WAITING)
    looked = []

    def look():
        seen = look_blocking(glance_blocking(None, os.environ))
        looked.append(seen.unfinished)
        return seen

    def sleep(_):
        if len(looked) == 2:
            from checkfirst.store.step import Step

            step = Step(number, frozenset({State.WAITING}), State.RELEASED)
            daemon.journal(lambda journal: journal.advance([step]))

    wait_blocking(look, sleep)
    assert looked == [1, 1, 0, 0]


def test_wait_counts_files_that_have_not_settled(daemon):
    daemon.snapshot(settling=2)
    assert look_blocking(glance_blocking(None, os.environ)).unfinished == 2


def test_waiting_for_a_daemon_that_does_not_come_is_said_as_such(scene, run):
    code, out, err = run("status", "--wait", "--timeout", "1ms")
    assert (code, out) == (3, "")
    assert "checkfirst does not run" in err
    assert str(scene.state) in err


def test_wait_gives_up_in_time_and_says_so(daemon, run):
    daemon.snapshot()
    daemon.arrive(b"file", State.WAITING)
    code, out, err = run("status", "--wait", "--timeout", "1ms")
    assert (code, out) == (3, "")
    assert "Not every file" in err
    assert "does not run" not in err
    assert run("status", "--timeout", "1s")[0] == 2
    assert run("status", "--wait", "--timeout", "soon")[0] == 2
