"""What a line of the log looks like, as text for a person and as JSON for a program.

Whoever wrote the message, one event is one line: everything unprintable is escaped here once more,
so that no file name, API answer or third-party message can forge a second line or drive a
terminal. Secrets are cut out here too. Where lines go is not known here.
"""

import json
import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from checkfirst.policy.names import escape, show

EVENT_WIDTH = len("quarantined")
"""Of the column of event words; a longer word moves its own line only."""

LEVELS = ("debug", "info", "warning", "error")
_MARKS = {"debug": "D", "info": " ", "warning": "W", "error": "E"}
"""Of the grave and the chatty; what is usual has none."""
_LEVELS = {mark: level for level, mark in _MARKS.items()}
_LINE = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ([ DWE]) (\S+(?: \S+)*?)(  +|$)(.*)", re.DOTALL
)

Fact = str | int | float | bool | None
"""What JSON holds without any structure."""


class Redactor:
    """Puts `***` where one of the secrets stands."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Empty secrets are passed over: they would stand everywhere."""
        self._secrets = set(filter(None, secrets))
        self._pattern = re.compile(self._longest_first())

    def add(self, secret: str) -> None:
        """Hide this one as well from now on."""
        if secret and secret not in self._secrets:
            self._secrets.add(secret)
            self._pattern = re.compile(self._longest_first())

    def clean(self, text: str) -> str:
        """Give the text without any secret, on one line, with nothing unprintable."""
        return escape(self._pattern.sub("***", text))

    def _longest_first(self) -> str:
        ordered = sorted(self._secrets, key=len, reverse=True)
        return "|".join(map(re.escape, ordered)) or r"(?!)"


def plain_fact(value: object) -> Fact:
    """Give a fact as JSON can hold it: names readable, numbers as they are, the rest in words."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    return show(value) if isinstance(value, bytes) else str(value)


class TextFormatter(logging.Formatter):
    """`2026-11-24 04:12:33   released     invoice.pdf -> …`, in local time.

    Before the event stands E of an error, W of a warning, D of what is for debugging alone.
    A traceback, where there is one, follows in lines that begin with `    | `, as no event does.
    """

    def __init__(self, redactor: Redactor) -> None:
        """Give the text through `redactor`."""
        super().__init__()
        self._clean = redactor.clean

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as text; one line, but for a traceback."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        text = self._clean(record.getMessage())
        line = text_line(when, level_of(record), event_of(record), text)
        if not record.exc_text:
            return line
        return "\n    | ".join([line, *map(self._clean, record.exc_text.split("\n"))])


class JsonFormatter(logging.Formatter):
    """One object a line: `time` (ISO 8601, UTC, milliseconds), `level`, `event`, `text`, the facts.

    A fact never takes the place of one of these four. ASCII alone, so safe to print.
    """

    def __init__(self, redactor: Redactor) -> None:
        """Give the facts and the text through `redactor`."""
        super().__init__()
        self._clean = redactor.clean

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as one line of JSON."""
        moment = datetime.fromtimestamp(record.created, UTC)
        head: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": event_of(record),
            "text": self._clean(record.getMessage()),
        }
        facts = {
            key: self._clean(value) if isinstance(value, str) else value
            for key, value in facts_of(record).items()
        }
        if record.exc_text:
            facts["traceback"] = [self._clean(line) for line in record.exc_text.split("\n")]
        return json.dumps({**head, **facts, **head})


@dataclass(frozen=True, slots=True)
class Parts:
    """What a line of text consists of."""

    when: str
    level: str
    event: str
    gap: str
    """What aligns the text."""
    text: str


def text_line(when: str, level: str, event: str, text: str) -> str:
    """One line of text from its parts."""
    return f"{when} {_MARKS[level]} {event:<{EVENT_WIDTH}}  {text}"


def parts_of(line: str) -> Parts | None:
    """The parts of a line; None where it is none of ours, or goes on from the one before."""
    found = _LINE.fullmatch(line)
    return found and Parts(found[1], _LEVELS[found[2]], *found.group(3, 4, 5))


def level_of(record: logging.LogRecord) -> str:
    """Give one of LEVELS, the one at or below the record's own."""
    steps = (logging.INFO, logging.WARNING, logging.ERROR)
    return LEVELS[sum(record.levelno >= step for step in steps)]


def event_of(record: logging.LogRecord) -> str:
    """Give the record's event word; records of others are a `note`, their errors a `problem`."""
    event: str | None = getattr(record, "event", None)
    return event or ("problem" if record.levelno >= logging.ERROR else "note")


def facts_of(record: logging.LogRecord) -> Mapping[str, object]:
    """Give what else is known of the event; empty for records of others."""
    facts: Mapping[str, object] | None = getattr(record, "facts", None)
    return facts or {}
