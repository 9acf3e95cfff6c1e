"""What a check says."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How grave it is."""

    OK = "ok"
    NOTE = "note"
    """Good to know; nothing is wrong."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer."""

    level: Level
    title: str
    """What there is, in one clause."""
    to_do: str = ""
    about: str = ""
    """The file, folder or setting; fit to be shown."""


def ok(title: str, about: str = "") -> Finding:
    """All is well."""
    return Finding(Level.OK, title, "", about)


def note(title: str, to_do: str = "", about: str = "") -> Finding:
    """Good to know."""
    return Finding(Level.NOTE, title, to_do, about)


def problem(title: str, to_do: str = "", about: str = "") -> Finding:
    """Something is to be done."""
    return Finding(Level.PROBLEM, title, to_do, about)
