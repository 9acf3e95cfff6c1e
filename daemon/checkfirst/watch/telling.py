"""What is to be told of watched folders, as values; somebody else finds the place to tell it."""

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One thing to tell, in words."""

    trouble: Trouble
    folder: bytes
    text: str
