"""An entry on one of the user's own lists, and how it lies in its row. Knows no connection."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

SELECT = "SELECT hash, list, origin, note, added_at, expires_at FROM listed"


class ListName(StrEnum):
    """Which list."""

    ALLOW = "allow"
    BLOCK = "block"


class ListedBy(StrEnum):
    """What put the hash there."""

    USER = "user"
    RESTORE = "restore"
    RELEASE = "release"


class Listed(NamedTuple):
    """One hash on one list."""

    hash: str
    """SHA-256 in lower-case hex; on the block list, SHA-1 or MD5 as well."""
    list: ListName
    origin: ListedBy
    added_at: float
    note: str = ""
    expires_at: float | None = None
    """From then on it counts as not listed."""


def listed(found: Sequence[Any]) -> Listed:
    """The value of a row read with `SELECT`."""
    return Listed(
        hash=found[0],
        list=ListName(found[1]),
        origin=ListedBy(found[2]),
        note=found[3],
        added_at=found[4],
        expires_at=found[5],
    )
