"""The log as the program and a person meet it: `start`, `say`, and what stands in the file."""

import asyncio
import io
import json
import logging
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

import pytest

from checkfirst import logs
from checkfirst.log_lines import parts_of
from checkfirst.model import VerdictKind
from checkfirst.policy.names import show

LOGGER = logging.getLogger("checkfirst.tests")

HOSTILE = [
    b"a\nb",
    b"a\rb",
    b"a\r\n2026-11-24 04:12:33  released     forged.exe",
    b"\x1b[2J\x1b]0;title\x07.pdf",
    "\u009b31mred".encode(),
    "\u202efdp.exe".encode(),
    "a\u2028b".encode(),
    b"lone \xff\xfe.bin",
    "café 日本.pdf".encode(),
    b"x" * 255,
    b"\xff" * 255,
]


@dataclass(frozen=True)
class LogSettings:
    level: str = "info"
    format: str = "text"
    rotate: int = 0
    keep: int = 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Wordless:
    def __str__(self):
        raise RuntimeError("no words")


def logged(path: Path, settings=LogSettings(), *, secrets=(), verbose=False):
    return logs.start(settings, path, terminal=None, secrets=secrets, verbose=verbose)


def text_of(path: Path) -> str:
    return path.read_bytes().decode()


def lines_of(path: Path) -> list[str]:
    return text_of(path).removesuffix("\n").split("\n")


def test_an_event_is_one_line_with_local_time_and_a_column_of_its_own(tmp_path):
    log = tmp_path / "state" / "checkfirst.log"
    with logged(log):
        logs.say(LOGGER, logging.INFO, "released", "%s -> %s", "invoice.pdf", "/home/x", id=7)
        logs.say(LOGGER, logging.INFO, "quarantined", "%s", "bad.exe")
    one, two = lines_of(log)
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.fullmatch(moment + "   released     invoice.pdf -> /home/x", one)
    assert two[19:] == "   quarantined  bad.exe"


def test_a_line_of_text_tells_how_grave_it_is(tmp_path):
    log = tmp_path / "checkfirst.log"
    grave = {"D": logging.DEBUG, " ": logging.INFO, "W": logging.WARNING, "E": logging.ERROR}
    with logged(log, verbose=True):
        for level in [*grave.values(), logging.CRITICAL]:
            logs.say(LOGGER, level, "asked for", "a  b")
    lines = lines_of(log)
    assert [line[20] for line in lines] == [*grave, "E"]
    parts = [parts_of(line) for line in lines]
    assert [each.level for each in parts] == ["debug", "info", "warning", "error", "error"]
    assert {(each.event, each.gap, each.text) for each in parts} == {("asked for", "    ", "a  b")}
    assert [parts_of(line) for line in ("", "    | trace", lines[0][1:], lines[0].lower())] == [
        None
    ] * 4


def test_the_file_is_private(tmp_path):
    log = tmp_path / "state" / "checkfirst.log"
    with logged(log):
        LOGGER.warning("hello")
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_makes_a_second_line_or_drives_a_terminal(tmp_path, name, form):
    """Also where the caller forgot `show`, as a third party's line would."""
    log = tmp_path / "checkfirst.log"
    raw = name.decode("utf-8", "surrogateescape")
    with logged(log, LogSettings(format=form)):
        logs.say(LOGGER, logging.INFO, "held", "%s", show(name), name=name)
        logs.say(LOGGER, logging.INFO, "held", "%s", raw, name=raw)
        logging.getLogger("somebody.else").warning("cannot look at %s", raw)
    lines = lines_of(log)
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert all(show(name) in (json.loads(x)["text"] if form == "json" else x) for x in lines)


def test_json_has_the_facts_and_says_who_wins(tmp_path):
    log = tmp_path / "checkfirst.log"
    with logged(log, LogSettings(format="json")):
        facts = {"id": 7, "name": b"a\xff", "verdict": VerdictKind.CLEAN, "until": None}
        logs.say(LOGGER, logging.WARNING, "problem", "disk %s", "full", **facts, text="x", time=0)
        LOGGER.info("plain")
    first, second = map(json.loads, lines_of(log))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("time"))
    assert first == {
        "level": "warning",
        "event": "problem",
        "text": "disk full",
        "id": 7,
        "name": "a\\xff",
        "verdict": "clean",
        "until": None,
    }
    assert (second["event"], second["text"]) == ("note", "plain")


def test_what_is_below_the_level_is_left_out_and_the_level_can_be_changed(tmp_path):
    log = tmp_path / "checkfirst.log"
    with logged(log) as session:
        logs.say(LOGGER, logging.DEBUG, "note", "one")
        session.set_level("debug")
        logs.say(LOGGER, logging.DEBUG, "note", "two")
        logging.getLogger("watchdog.observers").info("three")
        logging.getLogger("watchdog.observers").warning("four")
    assert [line.split()[-1] for line in lines_of(log)] == ["two", "four"]


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_shown_anywhere(tmp_path, form, verbose):
    log = tmp_path / "checkfirst.log"
    key = "0123456789abcdef" * 4
    with logged(log, LogSettings(format=form), secrets=["", key], verbose=verbose):
        logs.say(LOGGER, logging.INFO, "asked", "with %s", key, header=f"x-apikey: {key}")
        try:
            raise ValueError(f"Wrong API key {key}")
        except ValueError:
            LOGGER.exception("refused %s", key)
    assert key not in text_of(log)
    assert "with ***" in text_of(log)
    assert "Wrong API key ***" in text_of(log)


def test_a_secret_that_comes_later_is_hidden_from_then_on(tmp_path):
    log = tmp_path / "log"
    with logged(log, secrets=["old key"]) as session:
        session.hide("new key")
        LOGGER.warning("old key, new key")
    assert "key" not in log.read_text()


def test_an_error_is_told_in_one_line_and_its_traceback_only_when_verbose(tmp_path):
    for verbose in (False, True):
        log = tmp_path / f"{verbose}.log"
        with logged(log, verbose=verbose):
            try:
                raise ValueError("bad\n2026-11-24 04:12:33  released     forged")
            except ValueError:
                LOGGER.exception("broken")
    (line,) = lines_of(tmp_path / "False.log")
    assert line[19:] == (
        " E problem      broken: ValueError: bad\\x0a2026-11-24 04:12:33  released     forged"
    )
    first, *trace = lines_of(tmp_path / "True.log")
    assert first.endswith("broken")
    assert trace[0] == "    | Traceback (most recent call last):"
    assert all(line.startswith("    | ") for line in trace)


def test_a_bad_log_call_costs_neither_the_program_nor_the_line(capsys):
    """Past pytest's own handler, which raises on such a call."""
    queue = SimpleQueue()
    desk = logs._Desk(queue, verbose=False, facts=True)
    for message, arguments in [("%d of %s", ("x",)), ("%s", (Wordless(),)), ("after", ())]:
        desk.handle(logging.makeLogRecord({"msg": message, "args": arguments}))
    texts = [queue.get_nowait().getMessage() for _ in range(3)]
    assert texts[0] == "%d of %s ('x',)"
    assert texts[1].startswith("%s (<")
    assert texts[2] == "after"
    assert capsys.readouterr().err == ""


def test_only_plain_values_cross_the_queue():
    queue = SimpleQueue()
    desk = logs._Desk(queue, verbose=True, facts=True)
    try:
        raise ValueError("x")
    except ValueError:
        arguments = {"msg": "%s", "args": (Path("a"),), "exc_info": sys.exc_info()}
    record = logging.makeLogRecord({**arguments, "facts": {"path": Path("a"), "name": b"b"}})
    desk.handle(record)
    plain = queue.get_nowait()
    assert (plain.msg, plain.args, plain.exc_info) == ("a", None, None)
    assert plain.exc_text.endswith("ValueError: x")
    assert plain.facts == {"path": "a", "name": "b"}
    assert record.args == (Path("a"),)  # other handlers still get what was logged


def test_the_terminal_gets_each_line_with_its_face(tmp_path):
    log, screen = tmp_path / "checkfirst.log", Terminal()
    with logs.start(LogSettings(), log, terminal=screen, face="<{}>".format, secrets=()):
        logs.say(LOGGER, logging.ERROR, "problem", "disk full")
        logs.say(LOGGER, logging.INFO, "held", "fine")
    assert screen.getvalue() == "".join(f"<{line}>\n" for line in text_of(log).splitlines())


def test_a_terminal_that_is_no_terminal_gets_plain_lines(tmp_path):
    screen = io.StringIO()
    with logs.start(LogSettings(), None, terminal=screen, face=str.upper, secrets=()):
        logs.say(LOGGER, logging.ERROR, "problem", "disk full")
    assert screen.getvalue()[19:] == " E problem      disk full\n"


def test_a_terminal_with_few_characters_gets_the_rest_escaped():
    raw = io.BytesIO()
    screen = io.TextIOWrapper(raw, encoding="ascii")
    with logs.start(LogSettings(), None, terminal=screen, secrets=()):
        logs.say(LOGGER, logging.INFO, "held", "café")
    assert raw.getvalue().endswith(b"held         caf\\xe9\n")


def test_a_terminal_that_is_gone_stops_nothing(tmp_path, capsys):
    screen = io.StringIO()
    log = tmp_path / "checkfirst.log"
    with logs.start(LogSettings(), log, terminal=screen, secrets=()):
        screen.close()
        logs.say(LOGGER, logging.INFO, "held", "one")
        logs.say(LOGGER, logging.INFO, "held", "two")
    assert len(lines_of(log)) == 2
    assert capsys.readouterr().err == ""


def test_logging_is_left_as_it_was_found(tmp_path):
    everything, ours = logging.getLogger(), logging.getLogger("checkfirst")
    before = (everything.level, list(everything.handlers), ours.level)
    with logged(tmp_path / "checkfirst.log"):
        assert list(everything.handlers) != before[1]
    assert (everything.level, list(everything.handlers), ours.level) == before


def test_a_full_disk_is_said_once_and_stops_nothing(tmp_path, capsys):
    log = tmp_path / "checkfirst.log"
    log.symlink_to("/dev/full")
    with logged(log) as session:
        for n in range(3):
            logs.say(LOGGER, logging.INFO, "held", "%d", n)
    assert session.lost == 3
    assert capsys.readouterr().err == (
        "checkfirst: the log could not be written (No space left on device); going on without it\n"
    )


async def test_logging_on_the_event_loop_does_not_block_it(tmp_path):
    """The guard of conftest.py would raise out of any write made here."""
    log = tmp_path / "checkfirst.log"
    context = logged(log)
    await asyncio.to_thread(context.__enter__)
    logs.say(LOGGER, logging.INFO, "held", "from the loop")
    await asyncio.to_thread(context.__exit__, None, None, None)
    assert "from the loop" in await asyncio.to_thread(text_of, log)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_command_adds_a_line_to_a_log_that_is_open_and_rotates_nothing(tmp_path, form):
    path = tmp_path / "checkfirst.log"
    settings = LogSettings(format=form, rotate=1, keep=1)
    with logs.start(replace(settings, rotate=0), path, terminal=None, secrets=()):
        logs.say(LOGGER, logging.INFO, "watching", "begins")
    logs.append_blocking(settings, path, logging.WARNING, "deleted", "%s", show(b"a\nb"), file=b"a")
    with logs.start(replace(settings, rotate=0), path, terminal=None, secrets=()):
        logs.say(LOGGER, logging.INFO, "watching", "goes on")
    lines = path.read_text().splitlines()
    assert len(lines) == 3
    if form == "json":
        added = json.loads(lines[1])
        told = (added["event"], added["level"], added["text"], added["file"])
        assert told == ("deleted", "warning", "a\\x0ab", "a")
    else:
        assert lines[1].endswith(" deleted      a\\x0ab")
    grave = replace(settings, level="error")
    logs.append_blocking(grave, path, logging.WARNING, "deleted", "nothing")
    assert path.read_text().splitlines() == lines
