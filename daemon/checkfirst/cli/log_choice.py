"""Which lines of the log are about a file, and grave enough. Prints nothing.

Lines in JSON name their file; lines of text speak of it by its name, which is at their beginning,
after `about`, or at the end of a path, or by the beginning of its SHA-256.
"""

import fnmatch
import json
import re
from collections.abc import Sequence
from typing import Any

from checkfirst.log_lines import LEVELS, parts_of
from checkfirst.model import Arrival
from checkfirst.policy.names import escape, show

_DIGITS = 12
"""Of a SHA-256 in a line of text."""
_PIECES = re.compile(r"\*|\?|\[!?[^\]]+\]|.", re.DOTALL)


class Choice:
    """What a person asked for."""

    def __init__(self, level: str | None, name: str | None, rows: Sequence[Arrival]) -> None:
        """`rows`: what the journal knows under `name`; a name it does not know counts as well."""
        self._least = LEVELS.index(level) if level else 0
        self._names = {show(row.name) for row in rows}
        self._hashes = {row.sha256[:_DIGITS] for row in rows if row.sha256}
        self._ids = {str(row.id) for row in rows}
        self._pattern = None if name is None else escape(name)
        self._last = self.takes_all
        self._spoken = None if name is None else _spoken_of(self._names, self._pattern or "")

    @property
    def takes_all(self) -> bool:
        """Whether every line is wanted."""
        return not self._least and self._pattern is None

    def wants(self, line: str) -> bool:
        """Whether the line is wanted. Lines are asked about in their order.

        One that is no event of its own, such as a traceback's, goes with the one before.
        """
        if told := _told(line):
            self._last = self._takes(str(told.get("level")), told, str(told.get("text")))
        elif parts := parts_of(line):
            self._last = self._takes(parts.level, {}, parts.text)
        return self._last

    def _takes(self, level: str, told: dict[str, Any], text: str) -> bool:
        if LEVELS.index(level if level in LEVELS else "error") < self._least:
            return False
        return self._pattern is None or self._is_about(told, text)

    def _is_about(self, told: dict[str, Any], text: str) -> bool:
        if told.get("id") in self._ids or str(told.get("sha256"))[:_DIGITS] in self._hashes:
            return True
        named = told.get("file")
        if isinstance(named, str) and fnmatch.fnmatchcase(named, self._pattern or ""):
            return True
        if any(f"sha256 {digits}" in text for digits in self._hashes):
            return True
        return self._spoken is not None and self._spoken.search(text) is not None


def _told(line: str) -> dict[str, Any]:
    """The facts of a line in JSON; none for a line of text."""
    if not line.startswith("{"):
        return {}
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _spoken_of(names: set[str], pattern: str) -> re.Pattern[str]:
    """Where a text speaks of one of the names, or of any name of that pattern."""
    any_of = "|".join([*map(re.escape, sorted(names)), _as_expression(pattern)])
    return re.compile(rf"(?:^|about |/)(?:{any_of})(?=$|\s|[:,]\s|\.(?:\s|$))")


def _as_expression(pattern: str) -> str:
    """A glob as a regular expression that stays within one name, and takes as little as it can."""
    return "".join(
        {"*": "[^/]*?", "?": "[^/]"}.get(piece)
        or (_class(piece) if len(piece) > 1 and piece.startswith("[") else re.escape(piece))
        for piece in _PIECES.findall(pattern)
    )


def _class(piece: str) -> str:
    inside = piece[1:-1].replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^")
    is_negated = inside.startswith("!") and len(inside) > 1
    return f"[^{inside[1:]}]" if is_negated else f"[{inside}]"
