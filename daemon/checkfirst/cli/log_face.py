"""A line of the log as a person sees it on a terminal: aligned, the event in its colour."""

import json
import re
import textwrap
from datetime import datetime

from checkfirst.log_lines import EVENT_WIDTH
from checkfirst.policy.names import escape

Styled = list[tuple[str, str | None]]
"""Pieces of a line, each with its colour."""

_TEXT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)  (\S+(?: \S+)*?)(  +|$)(.*)", re.DOTALL)
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
_TIME_COLOUR = "bright_black"


def of(line: str, columns: int) -> list[Styled]:
    """The line in pieces, on as many lines of the screen as it takes.

    One that is neither text nor JSON of ours stays as it is.
    """
    if line.startswith("{"):
        line = _as_text(line)
    found = _TEXT.fullmatch(line)
    if found is None:
        return [[(line, None)]]
    moment, event, gap, text = found.groups()
    margin = len(f"{moment}  {event}{gap}")
    room = max(columns - margin, _NARROWEST)
    first, *more = textwrap.wrap(escape(text), room, break_on_hyphens=False) or [""]
    head: Styled = [
        (f"{moment}  ", _TIME_COLOUR),
        (event, _COLOURS.get(event)),
        (gap + first, None),
    ]
    rest: list[Styled] = [[(" " * margin + each, None)] for each in more]
    return [head, *rest]


def _as_text(line: str) -> str:
    try:
        told = json.loads(line)
        moment = datetime.fromisoformat(told["time"]).astimezone()
        event, text = str(told["event"]), str(told["text"])
    except (ValueError, TypeError, KeyError):
        return line
    return f"{moment:%Y-%m-%d %H:%M:%S}  {event:<{EVENT_WIDTH}}  {text}"
