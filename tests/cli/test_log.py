import json

import pytest

from checkfirst.cli.log import wants

LINES = [
    "2026-11-24 04:12:33  arrived      a.exe (1.0 kB) in /d",
    "2026-11-24 04:12:34  quarantined  a.exe -> /q: bad",
    "2026-11-24 04:12:35  problem      the disk is full",
    "2026-11-24 04:12:36  released     b.txt -> /d/Released/b.txt: good",
]


@pytest.fixture
def logged(scene):
    scene.state.mkdir()
    (scene.state / "checkfirst.log").write_text("".join(f"{line}\n" for line in LINES))
    return scene


def test_the_last_lines(logged, run):
    assert run("log", "-n", "2") == (0, "\n".join(LINES[2:]) + "\n", "")


def test_no_lines_at_all(logged, run):
    assert run("log", "-n", "0") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--file", "a.exe"], LINES[:2]),
        (["--level", "error"], LINES[2:3]),
        (["--level", "warning"], LINES[1:3]),
        (["--level", "info"], LINES),
        (["--level", "warning", "--file", "b.txt"], []),
        (["--level", "warning", "-n", "1"], LINES[2:3]),
    ],
)
def test_only_some_lines(logged, run, arguments, wanted):
    code, out, _ = run("log", *arguments)
    assert (code, out.splitlines()) == (0, wanted)


def test_a_log_in_json_tells_its_levels_and_names():
    line = json.dumps({"level": "warning", "text": "über.exe"})
    assert wants("warning", None)(line)
    assert not wants("error", None)(line)
    assert wants(None, "über.exe")(line)


def test_a_line_cannot_drive_the_terminal(logged, run):
    (logged.state / "checkfirst.log").write_text("\x1b[2J\n")
    assert run("log")[1] == "\\x1b[2J\n"


def test_no_log_yet_says_where_it_looked(scene, run):
    code, _, err = run("log")
    assert code == 3
    title, about, to_do = err.splitlines()
    assert title == "Error: There is no log yet"
    assert about.strip() == str(scene.state / "checkfirst.log")
    assert "checkfirst run" in to_do
