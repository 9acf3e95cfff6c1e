"""How a known-good list lies on the disk.

    4096 bytes      magic, facts as JSON, blanks, and the SHA-256 of all that
    65,537 numbers  how many keys come before each slot, 32 bits each, little-endian
    65,536 numbers  the CRC-32 of each slot's keys
    18 bytes a key  slot after slot, in ascending order

A hash belongs into the slot that its first two bytes number, and its next eighteen are its key. So
one read of some kilobytes finds any of 30 million hashes, at 18.02 bytes each.

Why 20 bytes of a SHA-256 are enough, and not fewer: being on the list releases a file. To make a
harmful file that shares 160 bits with one of 70 million listed hashes takes some 2^134 attempts.
An attacker who can also bring a harmless file of his own onto a published list needs only two files
that share them: 2^80 attempts, as much as a perfect hash of SHA-1's length would cost, and far
beyond anybody. With 128 bits that would be 2^64, which some hundred rented graphics processors do
in a few months; that is why no hash is cut down to sixteen bytes here.

The checksums tell of damage (a torn copy, a bad disk): the head vouches for both tables, and the
second table for the keys, each slot when it is read. Whoever may write into the state folder can
make them right for any content, as he could with the journal.
"""

import hashlib
import json
import os
import struct
import sys
from array import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from checkfirst.errors import Problem

MAGIC = b"checkfirst known-good list 1\n"
HEAD_BYTES = 4096
SLOTS = 65_536
SLOT_BYTES = 2
KEY_BYTES = 18
DIGEST_BYTES = SLOT_BYTES + KEY_BYTES
"""So much of a SHA-256 is kept."""
TABLES_BYTES = 4 * (2 * SLOTS + 1)
KEYS_AT = HEAD_BYTES + TABLES_BYTES
MOST_KEYS = 2**32 - 1
LONGEST_SOURCE = 400

_SUM_BYTES = 32
_NUMBERS = "I"
if array(_NUMBERS).itemsize != struct.calcsize("<I"):  # pragma: no cover
    raise ImportError("an unsigned int of this machine has not four bytes")


class DamagedError(Problem):
    """The list is not what was written; nothing in it counts."""

    def __init__(self, what: str, about: str) -> None:
        """`what` is wrong with it, in a clause; `about`: where it lies."""
        super().__init__(
            f"The known-good list is damaged: {what}",
            "Import it again (checkfirst known-good import), or remove it (checkfirst known-good "
            "remove).",
            about=about,
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """What a list says of itself."""

    source: str
    """What it was made of, fit to be shown."""
    made_at: float
    count: int
    """How many hashes are in it."""
    left_out: int = 0
    """Hashes of products that are no recommendation."""
    tables_sum: str = ""
    """SHA-256 of the two tables, in hex."""
    released: Mapping[str, str] = field(default_factory=dict)
    """Of published sets: name and day of release."""

    @property
    def size(self) -> int:
        """How many bytes the file must have."""
        return KEYS_AT + self.count * KEY_BYTES


@dataclass(frozen=True, slots=True)
class Tables:
    """Where each slot is, and what its keys add up to."""

    before: "array[int]"
    """For each slot how many keys come before it, and at the end how many there are."""
    sums: "array[int]"


def head(facts: Facts) -> bytes:
    """The first bytes of the file."""
    text = MAGIC + json.dumps(asdict(facts), ensure_ascii=False).encode()
    if len(text) > HEAD_BYTES - _SUM_BYTES:
        raise ValueError("the facts do not fit into the head of a known-good list")
    padded = text.ljust(HEAD_BYTES - _SUM_BYTES)
    return padded + hashlib.sha256(padded).digest()


def read_head(content: bytes, about: str) -> Facts:
    """The facts of a file that begins like this; raises DamagedError."""
    padded, total = content[:-_SUM_BYTES], content[-_SUM_BYTES:]
    if not content.startswith(MAGIC):
        raise DamagedError("it does not begin like one", about)
    if len(content) != HEAD_BYTES or hashlib.sha256(padded).digest() != total:
        raise DamagedError("its head has changed", about)
    try:
        told: dict[str, Any] = json.loads(padded[len(MAGIC) :])
        facts = Facts(**told)
    except (ValueError, TypeError):
        raise DamagedError("its head cannot be read", about) from None
    if not (isinstance(told["count"], int) and isinstance(told["source"], str)):
        raise DamagedError("its head makes no sense", about)
    return facts


def packed(tables: Tables) -> bytes:
    """The tables as they are written."""
    return b"".join(_little(numbers).tobytes() for numbers in (tables.before, tables.sums))


def read_tables(content: bytes, facts: Facts, about: str) -> Tables:
    """The tables, if they are those that the head vouches for; raises DamagedError."""
    if hashlib.sha256(content).hexdigest() != facts.tables_sum:
        raise DamagedError("its tables have changed", about)
    before, sums = array(_NUMBERS), array(_NUMBERS)
    before.frombytes(content[: 4 * (SLOTS + 1)])
    sums.frombytes(content[4 * (SLOTS + 1) :])
    tables = Tables(_little(before), _little(sums))
    if len(tables.sums) != SLOTS or tables.before[-1] != facts.count:
        raise DamagedError("its tables do not fit its head", about)
    return tables


def slot_of(digest: bytes) -> int:
    """The slot of a hash."""
    return int.from_bytes(digest[:SLOT_BYTES], "big")


def key_of(digest: bytes) -> bytes:
    """What is kept of a hash in its slot."""
    return digest[SLOT_BYTES:DIGEST_BYTES]


def shown_path(path: "os.PathLike[str]") -> str:
    """A path for problems."""
    from checkfirst.policy.names import show  # noqa: PLC0415  (for problems alone)

    return show(os.fsencode(path))


def _little(numbers: "array[int]") -> "array[int]":
    """The same numbers in the order of bytes of the file, or back."""
    if sys.byteorder == "big":  # pragma: no cover
        numbers = numbers[:]
        numbers.byteswap()
    return numbers
