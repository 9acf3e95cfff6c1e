"""A line of the log as a person sees it on a terminal: aligned, the event in its colour."""

import json
from datetime import datetime

from checkfirst.log_lines import LEVELS, Parts, parts_of, text_line
from checkfirst.policy.columns import wrap
from checkfirst.policy.names import escape

Styled = list[tuple[str, str | None]]
"""Pieces of a line, each with its colour."""

_COLOURS = {
    "released": "green",
    "restored": "green",
    "recovered": "green",
    "watching": "cyan",
    "quarantined": "red",
    "problem": "red",
    "waiting": "yellow",
    "submitted": "yellow",
    "deleted": "yellow",
}
_NARROWEST = 30
_STEP = 4
"""How far in the text is where the screen has no room for it beside the event."""
_TIME_COLOUR = "bright_black"


def of(line: str, columns: int) -> list[Styled]:
    """The line in pieces, on as many lines of the screen as it takes.

    One that is neither text nor JSON of ours stays as it is.
    """
    if line.startswith("{"):
        line = _as_text(line)
    parts = parts_of(line)
    if parts is None:
        return [[(line, None)]]
    before = _before(line, parts)
    margin = len(before + parts.event + parts.gap)
    text = escape(parts.text)
    if columns - margin < _NARROWEST:
        margin = _STEP
        first, more = "", wrap(text, columns - margin)
    else:
        first, *more = wrap(text, columns - margin)
    rest: list[Styled] = [[(" " * margin + each, None)] for each in more]
    return [_styled(before, parts, first), *rest]


def in_one(line: str) -> Styled:
    """The line as it lies in the file, in one piece of the screen."""
    parts = parts_of(line)
    return [(line, None)] if parts is None else _styled(_before(line, parts), parts, parts.text)


def _before(line: str, parts: Parts) -> str:
    return line[: len(line) - len(parts.event + parts.gap + parts.text)]


def _styled(before: str, parts: Parts, text: str) -> Styled:
    return [(before, _TIME_COLOUR), (parts.event, _colour(parts)), (parts.gap + text, None)]


def _colour(parts: Parts) -> str | None:
    """The event's own; of what is graver than its event usually is, that of a warning."""
    usual = _COLOURS.get(parts.event)
    return "yellow" if parts.level == "warning" and usual in {None, "green", "cyan"} else usual


def _as_text(line: str) -> str:
    try:
        told = json.loads(line)
        moment = datetime.fromisoformat(told["time"]).astimezone()
        event, text = str(told["event"]), str(told["text"])
        level = str(told["level"])
    except (ValueError, TypeError, KeyError):
        return line
    when = f"{moment:%Y-%m-%d %H:%M:%S}"
    return text_line(when, level if level in LEVELS else "error", event, text)
