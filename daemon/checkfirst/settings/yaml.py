"""YAML text into plain values with the line and column of each.

The text is taken apart event by event, so nothing is ever built that the settings have no use
for: tags, anchors and aliases are refused where they stand, a key given twice is told, and depth
has a limit. The messages are our own, because the parser's quote the text around, where a key may
stand (measured: ruamel.yaml 0.19 repeats both values of a duplicate key).
"""

import re
from dataclasses import dataclass, field
from typing import Protocol

from checkfirst.settings.tree import KeyPath, Place, Problem, Written

_DEEPEST = 10
_TOP = "write settings as `name: value`, one a line"
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")
_HINTS = (
    ("mapping values are not allowed", "a colon too many, or a value that needs quotes around it"),
    ("found character '\\t'", "lines are indented by spaces, not tabs"),
    ("found character", "a value that begins with this character needs quotes around it"),
    ("could not find expected ':'", "a key here or above lacks its colon"),
    ("found unexpected end of stream", "a quote is opened and never closed"),
    ("found undefined alias", "a value that begins with * needs quotes around it"),
    ("found unknown escape character", "write backslashes in single quotes"),
    ("did not find expected", "check the indentation, the brackets and the commas here and above"),
    ("expected", "check the indentation, the brackets and the commas here and above"),
    ("while parsing", "check the indentation, the brackets and the commas here and above"),
)


class _Mark(Protocol):
    """A place in the text, counted from nought."""

    line: int
    column: int


class _Event(Protocol):
    """What the parser tells; a scalar has the last two."""

    start_mark: _Mark
    value: str
    implicit: tuple[bool, bool]


class _RefusedError(Exception):
    """YAML that settings have no use for."""

    def __init__(self, text: str, event: _Event) -> None:
        super().__init__(text)
        self.text = text
        self.mark = event.start_mark


@dataclass(slots=True)
class _Open:
    """A mapping or list that has begun and not yet ended."""

    path: KeyPath
    values: dict[str, object] | list[object]
    key: str | None = None
    """The name whose value comes next."""
    dropped: bool = False
    """Whether that value is not wanted, its name having been given before."""
    lines: dict[str, int] = field(default_factory=dict)

    def wants_name(self) -> bool:
        """Whether the next scalar is a name."""
        return isinstance(self.values, dict) and self.key is None

    def next_path(self) -> KeyPath:
        """Where the value that comes next belongs."""
        return (*self.path, len(self.values) if self.key is None else self.key)

    def add(self, value: object) -> None:
        """Take the value that has just ended."""
        if isinstance(self.values, list):
            self.values.append(value)
        elif self.key is not None and not self.dropped:
            self.values[self.key] = value
        self.key, self.dropped = None, False


def parse(text: str, name: str) -> Written:
    """What the text says; problems name it `name:line:column`. Raises nothing."""
    from ruamel.yaml import YAML  # noqa: PLC0415  (slow to import, and not every start has a file)
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

    builder = _Builder(name)
    problem = None
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(type(event).__name__, event)
    except _RefusedError as refused:
        problem = Problem(_place(name, refused.mark), (), refused.text)
    except MarkedYAMLError as error:
        place = _place(name, error.problem_mark)
        problem = Problem(place, (), f"not valid YAML: {_hint(error.problem)}")
    except YAMLError:
        text = "not valid YAML: it holds characters that a text cannot hold"
        problem = Problem(Place(name), (), text)
    except (ValueError, OverflowError):
        # ruamel.yaml 0.19 hands an escape such as "\U00110000" to chr as it is.
        problem = Problem(Place(name), (), "not valid YAML: an escape names no character")
    if problem:
        builder.written.problems.append(problem)
    return builder.written


class _Builder:
    """Puts values together, one event after the other; no recursion, so depth is no danger."""

    def __init__(self, name: str) -> None:
        self.written = Written()
        self._name = name
        self._stack: list[_Open] = []
        self._begun = False

    def take(self, kind: str, event: _Event) -> None:
        """The next event."""
        if getattr(event, "anchor", None) is not None:
            raise _RefusedError("anchors and aliases (& and *) are not used here", event)
        if getattr(event, "ctag", None) is not None:
            raise _RefusedError("tags (!) are not used here", event)
        match kind:
            case "DocumentStartEvent":
                if self._begun:
                    raise _RefusedError("there is a second document (---); one is enough", event)
                self._begun = True
            case "MappingStartEvent":
                self._begin({}, event)
            case "SequenceStartEvent":
                self._begin([], event)
            case "MappingEndEvent" | "SequenceEndEvent":
                done = self._stack.pop()
                if self._stack:
                    self._stack[-1].add(done.values)
            case "ScalarEvent":
                self._scalar(event)
            case _:
                pass  # begin and end of the text tell nothing

    def _begin(self, values: dict[str, object] | list[object], event: _Event) -> None:
        if len(self._stack) >= _DEEPEST:
            raise _RefusedError("nested too deeply", event)
        if self._stack:
            if self._stack[-1].wants_name():
                raise _RefusedError("a setting's name must be plain text", event)
            path = self._value_path(event)
        elif isinstance(values, dict):
            path, self.written.values = (), values
        else:
            raise _RefusedError(_TOP, event)
        self._stack.append(_Open(path, values))

    def _scalar(self, event: _Event) -> None:
        if not self._stack:
            if _scalar(event) is not None:
                raise _RefusedError(_TOP, event)
        elif self._stack[-1].wants_name():
            self._take_name(str(event.value), event)
        else:
            self._value_path(event)
            self._stack[-1].add(_scalar(event))

    def _value_path(self, event: _Event) -> KeyPath:
        path = self._stack[-1].next_path()
        self.written.places.setdefault(path, _place(self._name, event.start_mark))
        return path

    def _take_name(self, key: str, event: _Event) -> None:
        above, place = self._stack[-1], _place(self._name, event.start_mark)
        above.key = key
        if first := above.lines.get(key):
            above.dropped = True
            text = f"given twice; it is already in line {first}"
            self.written.problems.append(Problem(place, (*above.path, key), text))
            return
        above.lines[key] = event.start_mark.line + 1
        self.written.places.setdefault((*above.path, key), place)


def _scalar(event: _Event) -> object:
    """What a scalar stands for; a quoted one is always text."""
    return plain(str(event.value)) if event.implicit[0] else str(event.value)


def plain(text: str) -> object:
    """What the text stands for without quotes, by the core schema of YAML 1.2 (10.3.2)."""
    if text.lower() in _WORDS and text in {text.lower(), text.title(), text.upper()}:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _place(name: str, mark: _Mark) -> Place:
    line, column = mark.line + 1, mark.column + 1
    return Place(f"{name}:{line}:{column}", (0, line, column))


def _hint(problem: str | None) -> str:
    for beginning, hint in _HINTS:
        if (problem or "").startswith(beginning):
            return hint
    return "the line or the one above is not written as `name: value`"
