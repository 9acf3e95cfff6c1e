import json
import subprocess
import sys

import pytest

from checkfirst.cli import log_face
from checkfirst.cli.log_choice import Choice
from checkfirst.model import Arrival, State

LINES = [
    "2026-11-24 04:12:33   arrived      a.exe (1.0 kB) in /d",
    "2026-11-24 04:12:34 W quarantined  a.exe -> /q: bad",
    "2026-11-24 04:12:35 E problem      the disk is full",
    "2026-11-24 04:12:36   released     b.txt -> /d/Released/b.txt: good",
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


def test_a_file_that_no_line_is_about_is_told_of_and_where_to_look(logged, run):
    first, second = (logged.arrive(b"of many.bin", State.RELEASED) for _ in range(2))
    assert second > first
    code, out, err = run("log", "--file", "of many.bin")
    assert (code, out) == (0, "")
    assert "No line of the log is about of many.bin" in err
    assert f"checkfirst why {second}" in err
    code, out, err = run("log", "--file", "nobody's.bin", "--level", "error")
    assert (code, out) == (0, "")
    assert err == "No line of the log as grave as `error` is about nobody's.bin\n"


def test_how_grave_a_line_is_does_not_hang_on_its_event_and_older_files_count(logged, run):
    """As the daemon itself writes: unknown files are released with a warning, problems may pass."""
    names = ("released", "problem", "again", "held")
    older = [f"2026-11-24 03:00:0{n} W {name:<11}  x.exe" for n, name in enumerate(names)]
    quiet = [f"2026-11-24 03:00:0{n}   {name:<11}  x.exe" for n, name in enumerate(names)]
    mixed = [line for pair in zip(older, quiet, strict=True) for line in pair]
    (logged.state / "checkfirst.log.1").write_text("".join(f"{line}\n" for line in mixed))
    assert run("log", "--level", "warning")[1].splitlines() == [*older, *LINES[1:3]]
    assert run("log", "--level", "error")[1].splitlines() == LINES[2:3]


def test_a_traceback_goes_with_its_line(logged, run):
    with (logged.state / "checkfirst.log").open("a") as file:
        file.write("    | of b.txt\n2026-11-24 05:00:00 E note         torn\n    | Traceback\n")
    more = ["2026-11-24 05:00:00 E note         torn", "    | Traceback"]
    assert run("log", "--level", "error")[1].splitlines() == [LINES[2], *more]
    assert run("log", "--file", "b.txt")[1].splitlines() == [LINES[3], "    | of b.txt"]


def test_a_log_in_json_tells_its_levels_and_names():
    line = json.dumps({"level": "warning", "text": "über.exe"})
    assert Choice("warning", None, []).wants(line)
    assert not Choice("error", None, []).wants(line)
    assert Choice(None, "über.exe", []).wants(line)
    assert Choice(None, "*.exe", []).wants(line)
    assert not Choice(None, "ber.exe", []).wants(line)


LINES_OF_TEXT = {
    "2026-11-24 04:12:33   arrived      a b.exe (1.0 kB) in /d": True,
    "2026-11-24 04:12:33   asked        VirusTotal about a b.exe (sha256 0123456789ab)": True,
    "2026-11-24 04:12:34 W quarantined  a b.exe -> /q: bad": True,
    "2026-11-24 04:12:35 E problem      Could not move it: /d/a b.exe. Free some space.": True,
    "2026-11-24 04:12:35 E problem      Could not move it: /d/a b.exe": True,
    "2026-11-24 04:12:36   asked for    /d/a b.exe is taken in": True,
    "2026-11-24 04:12:36   released     other -> /r/other: clean (sha256 5af1e0000000)": True,
    "2026-11-24 04:12:36   arrived      xa b.exe (1.0 kB) in /d": False,
    "2026-11-24 04:12:36   arrived      a b.exe.part (1.0 kB) in /d": False,
    "2026-11-24 04:12:36   arrived      other (1.0 kB) in /a b.exe.d": False,
    "2026-11-24 04:12:36   watching     /d, mode normal": False,
    "    | a b.exe in a traceback": False,
}


@pytest.mark.parametrize("pattern", ["a b.exe", "a *.exe", "? b.e[xy]e"])
@pytest.mark.parametrize(("line", "is_about"), LINES_OF_TEXT.items())
def test_a_line_of_text_is_about_a_file_where_it_speaks_of_it(pattern, line, is_about):
    row = Arrival(1, State.RELEASED, b"/d", b"/d/a b.exe", sha256="5af1e" + "0" * 59)
    assert Choice(None, pattern, [row]).wants(line) is is_about


@pytest.mark.parametrize("pattern", ["[", "]", "[]", "[!]", "a[\\]", "(*", "?*z", "\x1b"])
def test_any_text_may_be_a_pattern(pattern):
    assert not Choice(None, pattern, []).wants(
        "2026-11-24 04:12:33   arrived      x (1 byte) in /d"
    )


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


def test_following_a_log_that_is_not_there_says_so_and_goes_on(scene):
    scene.state.mkdir()
    code = "from checkfirst.cli.main import entry; entry()"
    command = [sys.executable, "-u", "-c", code, "log", "-f"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=scene.top
    ) as process:
        try:
            path = scene.state / "checkfirst.log"
            assert process.stderr.readline() == f"There is no log yet: {path}\n"
            assert "checkfirst run" in process.stderr.readline()
            path.write_text(f"{LINES[0]}\n")
            assert process.stdout.readline() == f"{LINES[0]}\n"
        finally:
            process.terminate()


def test_following_one_file_begins_with_its_last_lines_however_far_back(logged):
    path = logged.state / "checkfirst.log"
    with path.open("a") as file:
        file.writelines(
            f"2026-11-24 05:00:00   arrived      {n}.txt (1 byte)\n" for n in range(999)
        )
    code = "from checkfirst.cli.main import entry; entry()"
    command = [sys.executable, "-u", "-c", code, "log", "-f", "-n", "2", "--file", "*.exe"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=logged.top) as process:
        try:
            first = [process.stdout.readline() for _ in range(2)]
            assert first == [f"{each}\n" for each in LINES[:2]]
            with path.open("a") as file:
                file.write("2026-11-24 05:00:01   arrived      b.txt (1 byte) in /d\n")
                file.write("2026-11-24 05:00:02   arrived      c.exe (1 byte) in /d\n")
            assert process.stdout.readline().endswith("c.exe (1 byte) in /d\n")
        finally:
            process.terminate()


def test_a_broken_database_is_no_reason_not_to_read_the_log(logged, run):
    (logged.state / "checkfirst.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert run("log", "--file", "a.exe")[1].splitlines() == LINES[:2]


def test_a_person_sees_colours_and_json_as_text():
    (pieces,) = log_face.of(LINES[1], 80)
    assert "".join(text for text, _ in pieces) == LINES[1]
    assert ("quarantined", "red") in pieces
    told = {"time": "2026-11-24T04:12:34.000Z", "level": "info", "event": "held", "text": "a \x1b"}
    ((*_, (text, _)),) = log_face.of(json.dumps(told), 80)
    assert text == "         a \\x1b"
    for strange in ("{", '{"time": 7}', "    | traceback", ""):
        assert log_face.of(strange, 80) == [[(strange, None)]]


def test_long_lines_go_on_below_their_text():
    lines = log_face.of(LINES[1] + " word" * 30, 80)
    shown = ["".join(text for text, _ in line) for line in lines]
    assert shown[0].startswith(LINES[1])
    assert max(map(len, shown)) <= 80
    assert all(line.startswith(" " * 35 + "word") for line in shown[1:])


@pytest.mark.parametrize("columns", [1, 20, 50, 64])
def test_a_narrow_screen_has_the_text_below_its_event(columns):
    lines = log_face.of(LINES[1] + " word" * 30, columns)
    shown = ["".join(text for text, _ in line) for line in lines]
    assert shown[0].split() == LINES[1].split()[:4]
    assert max(map(len, shown[1:])) <= max(columns, 5)
    assert " ".join(" ".join(shown).split()).count("word") == 30 or columns < 9
    assert log_face.of("2026-11-24 04:12:33   held         ", 20)


def test_a_log_that_is_no_file_is_said(scene, run):
    (scene.state / "checkfirst.log").mkdir(parents=True)
    for more in ([], ["-f"]):
        code, out, err = run("log", *more)
        assert (code, out) == (3, "")
        assert err.startswith("Error: The log cannot be read: Is a directory\n")
        assert "log.file" in err
