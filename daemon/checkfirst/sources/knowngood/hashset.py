"""What every kind of hash set has in common for an import."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from checkfirst.errors import Problem

SHA256_BYTES = 32

Unit = Literal["bytes", "hashes"]
Advance = Callable[[int], object]
"""So much more is done."""
Shown = Callable[[str, int | None, Unit], AbstractContextManager[Advance]]
"""Shows how far a piece of work is: its name, how much there is of it where known, and of what."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of the hashes of a set."""

    good: Sequence[bytes]
    bad: Sequence[bytes]
    """Those of products that are no recommendation."""
    size: int
    """How much of the set that was, in its unit."""


class HashSet(Protocol):
    """Hashes from somewhere; every method may block."""

    name: str
    """Fit to be shown."""
    unit: Unit

    def total(self) -> int | None:
        """How much there is, where that is known."""
        ...

    def chunks(self) -> Iterator[Chunk]:
        """All of it, in pieces. Raises Problem when it cannot be read."""
        ...

    def remarks(self) -> list[str]:
        """What a person should know, once all of it has been read."""
        ...


def digests(written: Sequence[Any]) -> list[bytes] | None:
    """SHA-256 that are written in hex; None unless all of them are that."""
    try:
        raw = bytes.fromhex("".join(written))
    except (ValueError, TypeError):
        return None
    # A short one and a long one together may have the right length.
    return cut(raw) if all(len(each) == 2 * SHA256_BYTES for each in written) else None


def cut(raw: bytes) -> list[bytes]:
    """One after the other."""
    return [raw[at : at + SHA256_BYTES] for at in range(0, len(raw), SHA256_BYTES)]


def unreadable(name: str, why: str) -> Problem:
    """What is said of a set that cannot be read."""
    return Problem(
        f"The hash set cannot be read: {why}",
        "See that it is whole and may be read. A known-good list that is there already still "
        "serves.",
        about=name,
    )
