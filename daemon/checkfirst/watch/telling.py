"""What is to be told of watched folders, as values; somebody else finds the place to tell it."""

from dataclasses import dataclass
from enum import StrEnum

from checkfirst.watch.sweep import DEEPEST


class Trouble(StrEnum):
    """What a person may want to hear about a watched folder."""

    OVERFLOW = "overflow"
    """The kernel dropped events; everything is found by a sweep."""
    LIMITED = "limited"
    """The system tells of changes no more, or not everywhere; the folder is looked through."""
    LOST = "lost"
    """The folder cannot be watched for now."""
    BACK = "back"
    """It is watched again."""
    NOTICE = "notice"
    """Something about the files from before the first start."""
    LEFT_OUT = "left out"
    """There are sub-folders that nobody looks into."""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One thing to tell, in words."""

    trouble: Trouble
    folder: bytes
    text: str


def left_out(number: int) -> str:
    """Say of sub-folders that nobody looks into them, and which setting has it so."""
    are = "is" if number == 1 else "are"
    return f"{_sub_folders(number)} {are} not looked into, as intake.recursive is false"


def not_entered(number: int) -> str:
    """Say of sub-folders that they should be looked into, and cannot be."""
    return (
        f"{_sub_folders(number)} cannot be looked into: unreadable, or over {DEEPEST} levels deep"
    )


def _sub_folders(number: int) -> str:
    return "1 sub-folder" if number == 1 else f"{number} sub-folders"
