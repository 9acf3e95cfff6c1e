import io
import os
import subprocess
import sys

import pytest

from checkfirst.cli import output
from checkfirst.errors import Problem


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def begin():
        stream = Terminal()
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    return begin


HOSTILE = b"[/]boom [red]x[/red] \x1b[2J\n\xff"
SHOWN = "[/]boom [red]x[/red] \\x1b[2J\\x0a\\xff"


def test_markup_in_a_name_is_no_markup_on_a_terminal(terminal):
    stream = terminal()
    output.table(["state", "name"], [("waiting", HOSTILE)])
    assert SHOWN in stream.getvalue()
    assert "\x1b[33mwaiting" in stream.getvalue()


def test_plain_tables_have_no_codes(capsys):
    output.table(["state", "name"], [("waiting", HOSTILE)])
    assert capsys.readouterr().out == f"state    name\nwaiting  {SHOWN}\n"


def test_columns_fit_wide_and_combining_characters(capsys):
    output.table(["", ""], [("漢字", "a"), ("abcd", "b"), ("e\u0301bcd", "c")])
    assert capsys.readouterr().out == "漢字  a\nabcd  b\ne\u0301bcd  c\n"


def test_a_table_of_nothing_prints_nothing_or_its_headings(capsys):
    output.table(["", ""], [])
    assert capsys.readouterr().out == ""


def test_facts_without_a_value_are_left_out(capsys):
    output.facts([("one", "1"), ("three", None), ("four", "\x1b")])
    assert capsys.readouterr().out == "one   1\nfour  \\x1b\n"


def test_an_error_cannot_drive_the_terminal(capsys):
    output.problem(Problem("title\x1b", "do\x1b", about="about\x1b"))
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (2_000_000_000, "2.0 GB"),
    ],
)
def test_sizes(count, words):
    assert output.size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (1, "just now"),
        (30, "30 seconds ago"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86_400, "1 day ago"),
    ],
)
def test_how_long_ago(seconds, words):
    assert output.ago(1000.0, 1000.0 + seconds) == words


def test_no_colours_where_they_are_not_wanted(terminal, monkeypatch):
    stream = terminal()
    output.state("running", "")
    output.styled([("a\x1b", "red")])
    coloured = stream.getvalue()
    assert coloured.startswith("checkfirst is \x1b[32m\x1b[1mrunning\x1b[0m\n")
    assert coloured.endswith("\x1b[31ma\\x1b\x1b[0m\n")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = terminal()
    output.state("running", "")
    output.heading("Heading")
    output.styled([("a", "red")])
    output.table(["state"], [("waiting",)])
    lines = [line.strip() for line in stream.getvalue().splitlines()]
    assert lines == ["checkfirst is running", "Heading", "a", "state", "waiting"]


def test_long_facts_go_on_below_their_beginning_on_a_terminal(terminal, monkeypatch, capsys):
    facts = [("reason", "word " * 20), ("report", "https://" + "x" * 100)]
    output.facts(facts)
    plain = capsys.readouterr().out.splitlines()
    assert len(plain) == 2
    monkeypatch.setenv("COLUMNS", "60")
    stream = terminal()
    output.facts(facts)
    lines = stream.getvalue().splitlines()
    assert lines[1].startswith("        word")
    assert "https://" + "x" * 100 in lines[-1] + lines[-2]
    assert max(map(len, lines[:2])) <= 60


def test_notes_and_answers_are_wrapped_between_words_on_a_terminal(terminal, monkeypatch, capsys):
    output.note("word " * 20)
    output.marked("open", "green", "word " * 20)
    assert [text.count("\n") for text in capsys.readouterr()] == [1, 1]
    monkeypatch.setenv("COLUMNS", "42")
    answers, notes = terminal(), Terminal()
    monkeypatch.setattr(sys, "stderr", notes)
    monkeypatch.setenv("NO_COLOR", "1")
    output.note("word " * 20)
    output.note("  " + "word " * 10)
    output.marked("open", "green", "word " * 20)
    lines = [(0, 8), (0, 8), (0, 4), (2, 8), (2, 2)]
    assert notes.getvalue().splitlines() == [" " * n + " ".join(["word"] * m) for n, m in lines]
    assert answers.getvalue().splitlines() == [
        begin + " ".join(["word"] * n) for begin, n in (("open  ", 7), ("      ", 7), ("      ", 6))
    ]


@pytest.mark.parametrize(
    "arguments", [("quarantine", "show", "1"), ("quarantine", "list"), ("history",), ("why", "1")]
)
def test_a_reader_who_has_enough_is_no_error(scene, arguments):
    scene.quarantine(b"bad.exe")
    ours, theirs = os.pipe()
    os.close(ours)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    code = "from checkfirst.cli.main import entry; entry()"
    done = subprocess.run(
        [sys.executable, "-u", "-c", code, *arguments],
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
        env=environ,
    )
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, b"")
