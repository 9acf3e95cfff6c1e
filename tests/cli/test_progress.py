import io
import sys
import threading
from contextlib import contextmanager

import pytest

from checkfirst.cli.progress import PATIENCE_SECONDS, Unit, progress
from checkfirst.cli.sending import Sending
from checkfirst.model import Question, Risk
from checkfirst.vault.digest import LOOK_UP_BYTES


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Watch:
    """A stop watch that stands still until it is set."""

    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")

    def begin():
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return begin


def test_what_is_done_soon_draws_nothing(terminal, watch):
    stream = terminal()
    with progress("Reading", 100, monotonic=watch) as bar:
        watch.seconds = PATIENCE_SECONDS / 2
        bar.advance(100)
    assert stream.getvalue() == ""


def test_long_work_is_shown_and_the_bar_goes_when_it_ends(terminal, watch):
    stream = terminal()
    with progress("Reading [red]\x1b[2Jname", 4_000_000, monotonic=watch) as bar:
        bar.advance(1_000_000)
        watch.seconds = PATIENCE_SECONDS
        bar.advance(1_000_000)
    shown = stream.getvalue()
    assert "Reading [red]\\x1b[2Jname" in shown
    assert "2.0/4.0 MB" in shown
    assert " 50 %" in shown
    assert shown.endswith("\x1b[1A\x1b[2K")  # the line is cleared, and the cursor shown before
    assert "\x1b[?25h" in shown


def test_numbers_are_shown_as_such_and_never_beyond_the_whole(terminal, watch):
    stream = terminal()
    with progress("Importing", 1500, Unit.ENTRIES, monotonic=watch) as bar:
        watch.seconds = PATIENCE_SECONDS
        bar.advance(2000)
    assert "1,500 of 1,500" in stream.getvalue()


def test_where_nobody_knows_how_much_there_is_only_what_is_done_is_shown(terminal, watch):
    stream = terminal()
    with progress("Importing", None, Unit.ENTRIES, monotonic=watch) as bar:
        watch.seconds = PATIENCE_SECONDS
        bar.advance(1234)
    assert "1,234" in stream.getvalue()
    assert "%" not in stream.getvalue()


def test_without_a_terminal_nothing_is_drawn(capsys, watch):
    with progress("Reading", 100, monotonic=watch) as bar:
        watch.seconds = PATIENCE_SECONDS * 2
        bar.advance(50)
    assert capsys.readouterr() == ("", "")


def test_output_into_a_pipe_stays_out_of_the_bar(terminal, watch, capsys):
    stream = terminal()
    with progress("Reading", 100, monotonic=watch) as bar:
        watch.seconds = PATIENCE_SECONDS
        bar.advance(50)
        print("an answer")
    assert capsys.readouterr().out == "an answer\n"
    assert "an answer" not in stream.getvalue()


def test_a_bar_that_ended_says_stop_and_draws_no_more(terminal, watch):
    stream = terminal()
    with progress("Reading", 100, monotonic=watch) as bar:
        assert not bar.is_stopped()
    watch.seconds = PATIENCE_SECONDS
    assert bar.is_stopped()
    assert stream.getvalue() == ""


def test_each_look_up_of_a_long_read_counts(terminal, watch):
    stream = terminal()
    with progress("Reading", 2 * LOOK_UP_BYTES, Unit.SHARE, monotonic=watch) as bar:
        watch.seconds = PATIENCE_SECONDS
        bar.is_stopped()
    assert " 50 %" in stream.getvalue()


def test_an_upload_that_is_tried_once_more_begins_anew_and_one_bar_follows_another():
    bars = []

    @contextmanager
    def noted(label, total):
        with progress(label, total) as bar:
            bars.append((label, bar))
            yield bar

    questions = [
        Question(name * 64, 100, Risk.PROGRAM, b"/held/" + name.encode(), 0.0) for name in "ab"
    ]
    with Sending(questions, noted) as shown:
        shown.sent("a" * 64, 60)
        shown.sent("a" * 64, 10)
        shown.sent("b" * 64, 30)
    assert [(label, bar._done, bar.is_stopped()) for label, bar in bars] == [
        ("Uploading a", 10, True),
        ("Uploading b", 30, True),
    ]


def test_it_can_be_told_from_threads(terminal, watch):
    stream = terminal()
    with progress("Reading", 800, Unit.ENTRIES, monotonic=watch) as bar:
        watch.seconds = PATIENCE_SECONDS
        threads = [
            threading.Thread(target=lambda: [bar.advance(1) for _ in range(100)]) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert "800 of 800" in stream.getvalue()
