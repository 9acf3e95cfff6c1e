"""The only printer: tables, facts, JSON, errors; nothing unprintable ever leaves here.

File names, API answers and old rows are hostile text. Bytes are shown by `policy.names.show` and
text is escaped, whatever a command gives. On a terminal tables are drawn by rich, whose markup is
never read from a cell; elsewhere they are plain aligned text.
"""

import json
import sys
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TextIO

import click

from checkfirst.cli import layout, screen
from checkfirst.errors import CheckfirstError, SettingsError
from checkfirst.policy import columns
from checkfirst.policy.names import escape, show
from checkfirst.policy.sizes import readable

Cell = str | bytes | int | None

_GAP = " " * layout.GAP
_WIDE = 100
_NARROWEST = 20
_FINDING = 22
"""Columns before the words of a finding."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_COLOURS = {
    "ok": "green",
    "running": "green",
    "released": "green",
    "restored": "green",
    "clean": "green",
    "note": "yellow",
    "degraded": "yellow",
    "waiting": "yellow",
    "held": "yellow",
    "pending": "yellow",
    "unknown": "yellow",
    "problem": "red",
    "stopped": "red",
    "quarantined": "red",
    "malicious": "red",
    "left": "red",
}
"""Of states and verdicts, in the columns and lines that hold nothing else."""


def begin() -> None:
    """Let a character that the terminal's encoding has not be escaped, not be an error.

    A stream that was closed before we began leads nowhere, and its number is not left to whatever
    file is opened next.
    """
    screen.fill_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Callable[..., None] | None = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def flush() -> None:
    """Write what is buffered; raises BrokenPipeError when nobody reads, and OSError."""
    sys.stdout.flush()


def text(cell: Cell) -> str:
    """What is printed of a cell."""
    if cell is None:
        return ""
    return show(cell) if isinstance(cell, bytes) else escape(str(cell))


def line(cell: Cell = "") -> None:
    """One line."""
    print(text(cell))


def coloured(word: str, colour: str | None) -> str:
    """A word of our own, in a colour where a person can see it."""
    return click.style(word, fg=colour, bold=True) if screen.has_colours() else word


def styled(pieces: Iterable[tuple[str, str | None]]) -> None:
    """A line of several pieces, each in its colour."""
    print(in_colours(pieces))


def in_colours(pieces: Iterable[tuple[str, str | None]]) -> str:
    """The same, to be printed by another."""
    return "".join(_in(escape(words), colour) for words, colour in pieces)


def state(word: str, rest: str) -> None:
    """A line that begins with a state, coloured on a terminal."""
    print(f"checkfirst is {coloured(word, _COLOURS.get(word))}{escape(rest)}")


def heading(word: str) -> None:
    """The title of a part."""
    print(coloured(escape(word), None))


def script(lines: str) -> None:
    """Several lines of our own making, as they are."""
    print(lines.rstrip("\n"))


def paragraph(words: Cell, indent: int = 0) -> None:
    """A sentence or more, wrapped on a terminal and one line elsewhere."""
    for each in _wrapped(text(words), indent):
        print(" " * indent + each)


def marked(word: str, colour: str, words: Cell) -> None:
    """A sentence or more behind a word of our own; what a terminal wraps goes on below itself."""
    first, *more = _wrapped(text(words), len(word) + layout.GAP)
    print(coloured(word, colour) + _GAP + first)
    for each in more:
        print(" " * (len(word) + layout.GAP) + each)


def facts(pairs: Iterable[tuple[Cell, Cell]], indent: int = 0) -> None:
    """Labels and values, one below the other; those without a value are left out.

    Nothing is cut: on a terminal long values go on below their beginning.
    """
    known = [(text(label), text(value)) for label, value in pairs if value not in (None, "", b"")]
    label_width = max((columns.width(label) for label, _ in known), default=0)
    for label, value in known:
        begin = " " * indent + label + " " * (label_width - columns.width(label)) + _GAP
        first, *more = _wrapped(value, columns.width(begin))
        print(begin + first)
        for each in more:
            print(" " * columns.width(begin) + each)


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    indent: int = 0,
    spare: Collection[str] = (),
    longest_name: int | None = None,
) -> None:
    """Rows under headings; no headings are printed when all of them are empty.

    On a terminal the table fits: columns in `spare` go first, then what is too long is cut, names
    (bytes) in the middle. Elsewhere nothing is ever left out, but what of a name is longer than
    `longest_name` columns, where that is given.
    """
    cells = [[_cell(cell, longest_name) for cell in row] for row in rows]
    room = screen.width() - indent if screen.is_terminal() else None
    fitted = layout.fit(headings, cells, room, spare)
    if room is not None:
        screen.draw(fitted, indent, _COLOURS)
        return
    lines = [fitted.headings, *fitted.rows] if any(headings) else fitted.rows
    for line_cells in lines:
        padded = (
            _of_state(title, cell) + " " * (width - columns.width(cell))
            for title, cell, width in zip(fitted.headings, line_cells, fitted.widths, strict=True)
        )
        print((" " * indent + _GAP.join(padded)).rstrip())


def _cell(cell: Cell, longest_name: int | None) -> layout.Cell:
    shown = layout.Cell(text(cell), isinstance(cell, bytes))
    if longest_name is None or not shown.is_name:
        return shown
    return layout.Cell(shown.cut(longest_name), is_name=True)


def _of_state(title: str, cell: str) -> str:
    """In its colour, where that is forced on what no terminal shows."""
    return _in(cell, _COLOURS.get(cell)) if title in screen.COLOURED else cell


def as_json(value: object) -> None:
    """JSON for programs; ASCII alone, so safe to print whatever is in it."""
    print(json.dumps(value, indent=2))


def note(words: str) -> None:
    """A remark that is no part of the answer, on stderr; wrapped on a terminal."""
    shown = escape(words)
    indent = len(shown) - len(shown.lstrip(" "))
    for each in _wrapped(shown.lstrip(" "), indent, sys.stderr):
        print(" " * indent + each, file=sys.stderr)


def problem(error: CheckfirstError) -> None:
    """An error on stderr: what, about what, and what to do."""
    word = click.style("Error:", fg="red") if screen.has_colours(sys.stderr) else "Error:"
    several = error.problems if isinstance(error, SettingsError) else [error.about]
    print(f"{word} {escape(error.title)}", file=sys.stderr)
    for part in filter(None, (*several, error.to_do)):
        for each in _wrapped(escape(part), 2, sys.stderr):
            print(f"  {each}", file=sys.stderr)


def finding(level: str, name: str, title: str, about: str, to_do: str) -> None:
    """What a check has found, its subject and what to do below it."""
    words = f"{coloured(f'{text(level):<8}', _COLOURS.get(level))}{_GAP}{text(name):<10}{_GAP}"
    room = max(_NARROWEST, screen.width() - _FINDING) if screen.is_terminal() else None
    for part in filter(None, (title, about, to_do)):
        shown = text(part)
        lines = textwrap.wrap(shown, room, break_on_hyphens=False) if room else [shown]
        for each in lines:
            print(words + each)
            words = " " * _FINDING


def may_ask() -> bool:
    """Whether somebody sits there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str) -> bool:
    """Ask; no is the answer when nothing is typed."""
    return click.confirm(escape(question), default=False, err=True)


def local(at: float | None) -> str | None:
    """A moment in local time, to the second."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def moment(at: float | None) -> str | None:
    """The same in a table: on a narrow screen without year and seconds."""
    full = local(at)
    is_narrow = screen.is_terminal() and screen.width() < _WIDE
    return full[len("2026-") : -len(":00")] if full and is_narrow else full


def until(at: float | None, now: float) -> str:
    """When something is to be, as short as it can be said; empty when nobody knows."""
    if at is None:
        return ""
    moment = local(at) or ""
    return f"until {moment[11:] if abs(at - now) < _DAY / 2 else moment[:16]}"


def ago(at: float, now: float) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, round(now - at))
    for name, length in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE)):
        if seconds >= length:
            return f"{_many(seconds // length, name)} ago"
    return "just now" if seconds < 2 else f"{seconds} seconds ago"  # noqa: PLR2004


def size(count: int | None) -> str | None:
    """A number of bytes with a unit that a person reads."""
    return None if count is None else readable(count)


def counted(counts: Mapping[str, int]) -> str:
    """Several numbers in one line."""
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def _many(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _in(words: str, colour: str | None) -> str:
    return click.style(words, fg=colour) if colour and screen.has_colours() else words


def _wrapped(value: str, indent: int, stream: TextIO | None = None) -> list[str]:
    if not screen.is_terminal(stream):
        return [value]
    room = max(screen.width() - indent, _NARROWEST)
    return textwrap.wrap(value, room, break_long_words=False, break_on_hyphens=False) or [""]
