"""What status, why, history, quarantine and settings errors look like, hostile names included."""

import os
import re

import pytest

from checkfirst.model import FolderHealth, Outlook, SourceHealth, State
from checkfirst.service.lock import only_one
from checkfirst.store.step import Facts
from tests import snapshots
from tests.cli.journal_scene import HOSTILE, NOW, SHA

LONG = b"quarterly-report-of-the-whole-company-and-all-its-subsidiaries-2026-final (2).pdf.exe"


@pytest.fixture
def told(scene, run):
    """Run a command; all it said, without what differs from run to run."""

    def tell(*arguments):
        code, out, err = run(*arguments)
        text = f"$ checkfirst {' '.join(arguments)}\n{out}{err}(exit code {code})\n"
        text = text.replace(os.path.realpath(scene.top), "/home/ann").replace(
            str(scene.top), "/home/ann"
        )
        text = re.sub(r"process \d+", "process 4711", text)
        return re.sub(r"\(\d+ \w+ ago\)", "(some time ago)", text)

    return tell


@pytest.fixture
def lived(scene):
    """A state folder after an eventful day."""
    scene.quarantine(HOSTILE)
    scene.quarantine(LONG, b"other bytes")
    scene.arrive(b"a b.pdf", State.RELEASED, Facts(reason="none of 63 engines found anything"))
    waiting = Facts(sha256=SHA, reason="asked", until=NOW)
    scene.arrive("漢字.zip".encode(), State.WAITING, waiting)
    scene.arrive(b"locked.exe", State.LEFT, Facts(reason="permission is denied"))
    return scene


def test_history(lived, told):
    snapshots.same("history", told("history"))


@pytest.mark.parametrize("number", ["1", "3", "4", "5"])
def test_why(lived, told, number):
    snapshots.same(f"why-{number}", told("why", number))


def test_quarantine(lived, told):
    snapshots.same("quarantine-list", told("quarantine", "list"))
    snapshots.same("quarantine-show", told("quarantine", "show", "1"))


def test_status_of_a_running_daemon(lived, told):
    folders = (
        FolderHealth(b"/home/ann/Downloads", "native", healthy=True, moves="rename"),
        FolderHealth(b"/media/\xff\x1b", "polling", False, "copy", problem="/media is not there"),
    )
    sources = (
        SourceHealth("lists", 9, 2, healthy=True, mean_seconds=0.0012),
        SourceHealth("virustotal", 7, 6, healthy=False, problem="the key was refused"),
    )
    outlook = (Outlook(SHA, "VirusTotal's quota for this day is spent", NOW + 3600),)
    lived.snapshot(watching=folders, sources=sources, outlook=outlook, problems=("a \x1b trouble",))
    with only_one(lived.state):
        snapshots.same("status-degraded", told("status"))


def test_status_of_none(scene, told):
    snapshots.same("status-stopped", told("status"))


def test_settings_that_are_wrong(scene, told):
    wrong = (
        b"mode: maybe\nwatch: [Downloads]\nreleased: Downloads\n"
        b"intake: {settle: 5, sweep: never}\nvirustotal: {per_minute: -1}\n"
        b"log: {level: loud, surprise: 1, \xc3\xa9t\xc3\xa9: {a: b}}\n"
    )
    (scene.top / "settings.yaml").write_bytes(wrong)
    snapshots.same("settings-wrong", told("settings", "check"))
    (scene.top / "settings.yaml").write_bytes(wrong + b"bell\x07: 1\n")
    snapshots.same("settings-unreadable", told("settings", "check"))
