"""Every face in colours on a terminal, and without where they are not wanted."""

import os
import re
import sys

import pytest

from checkfirst.model import State
from checkfirst.service.lock import only_one
from tests.cli.terminal import Terminal

CODE = "from checkfirst.cli.main import entry; entry()"
PLAIN = {"NO_COLOR": ("NO_COLOR", "1"), "dumb": ("TERM", "dumb"), "colours": ("TERM", "xterm")}


@pytest.fixture
def lived(scene):
    scene.quarantine(b"bad.exe")
    scene.arrive(b"held.zip", State.HELD)
    (scene.state / "checkfirst.log").write_text(
        "2026-11-24 04:12:34 W quarantined  bad.exe -> /q: bad\n"
    )
    with only_one(scene.state):
        scene.snapshot(problems=("a trouble",))
        yield scene


def seen(lived, name, *arguments):
    environ = {key: value for key, value in os.environ.items() if not key.endswith("_COLOR")}
    environ |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TERM": "xterm"}
    environ |= dict([PLAIN[name]])
    person = Terminal([sys.executable, "-c", CODE, *arguments], lived.top, environ)
    try:
        person.ended()
        return person.screen
    finally:
        person.close()


@pytest.mark.parametrize(
    ("arguments", "has_colours"),
    [
        (["status"], True),
        (["history"], True),
        (["why", "1"], True),
        (["log"], True),
        (["quarantine", "list"], True),
        (["doctor", "--offline"], True),
        (["release", "nobody-knows-it"], True),
        (["check", "--help"], False),
        (["no-such-command"], False),
    ],
)
def test_faces(lived, arguments, has_colours):
    assert ("\x1b" in seen(lived, "colours", *arguments)) is has_colours
    for name in ("NO_COLOR", "dumb"):
        shown = seen(lived, name, *arguments)
        assert len(shown) > 20
        assert "\x1b" not in shown


@pytest.mark.parametrize("arguments", [["status"], ["history"], ["log"]])
def test_colours_can_be_forced_into_a_pipe_and_change_no_word(lived, run, monkeypatch, arguments):
    plain = run(*arguments)[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    forced = run(*arguments)[1]
    assert "\x1b" not in plain
    assert "\x1b" in forced
    assert re.sub(r"\x1b\[\d+m", "", forced) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(*arguments)[1] == plain


def test_programs_get_no_colours_even_by_force(lived, run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in run("history", "--json")[1] + run("status", "--json")[1]
