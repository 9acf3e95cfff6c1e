"""A known-good list, open: is a hash on it? One read for each question, and little memory.

Works from any thread, and several at once, as nothing is shared but the file.
"""

import os
import weakref
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Self

from checkfirst.errors import Problem
from checkfirst.sources.knowngood.format import (
    HEAD_BYTES,
    KEY_BYTES,
    KEYS_AT,
    SLOTS,
    TABLES_BYTES,
    DamagedError,
    Facts,
    Tables,
    key_of,
    read_head,
    read_tables,
    shown_path,
    slot_of,
)

_TOLD_SLOTS = 256
"""A full check tells after so many how far it is."""


class KnownGoodList:
    """An open list. One that is replaced goes on as it was for whoever has it open.

    `close` it; one that nobody has any more closes itself, as after the settings were read anew.
    """

    def __init__(self, path: Path, descriptor: int, facts: Facts, tables: Tables) -> None:
        """Use `open_blocking`."""
        self.path = path
        self.facts = facts
        self._descriptor = descriptor
        self._tables = tables
        self._closing = weakref.finalize(self, os.close, descriptor)

    @classmethod
    def open_blocking(cls, path: Path) -> Self | None:
        """None where there is no list; raises DamagedError, and Problem when it cannot be read."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(path, error) from error
        try:
            facts, tables = _facts_and_tables_blocking(path, descriptor)
        except OSError as error:
            os.close(descriptor)
            raise _unreadable(path, error) from error
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor, facts, tables)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._closing()

    def has_blocking(self, digest: bytes) -> bool:
        """Whether this SHA-256 is listed; raises DamagedError, and Problem when the disk fails."""
        keys = self._slot_blocking(slot_of(digest))
        key = key_of(digest)
        at = keys.find(key)
        while at % KEY_BYTES and at >= 0:  # found across two keys
            at = keys.find(key, at + 1)
        return at >= 0

    def verify_blocking(self) -> Iterator[int]:
        """Read all of it; gives how many hashes are checked, and raises DamagedError."""
        for slot in range(SLOTS):
            keys = self._slot_blocking(slot)
            each = [keys[at : at + KEY_BYTES] for at in range(0, len(keys), KEY_BYTES)]
            if any(one >= two for one, two in pairwise(each)):
                raise DamagedError("its hashes are not in order", shown_path(self.path))
            if slot % _TOLD_SLOTS == _TOLD_SLOTS - 1:
                yield self._tables.before[slot + 1]

    def _slot_blocking(self, slot: int) -> bytes:
        first, end = self._tables.before[slot], self._tables.before[slot + 1]
        if first == end:
            return b""
        size = (end - first) * KEY_BYTES
        try:
            keys = os.pread(self._descriptor, size, KEYS_AT + first * KEY_BYTES)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        if len(keys) != size or zlib.crc32(keys) != self._tables.sums[slot]:
            raise DamagedError("some of its hashes have changed", shown_path(self.path))
        return keys


def _facts_and_tables_blocking(path: Path, descriptor: int) -> tuple[Facts, Tables]:
    about = shown_path(path)
    facts = read_head(os.pread(descriptor, HEAD_BYTES, 0), about)
    if os.fstat(descriptor).st_size != facts.size:
        raise DamagedError("its end is missing, or something follows it", about)
    return facts, read_tables(os.pread(descriptor, TABLES_BYTES, HEAD_BYTES), facts, about)


def _unreadable(path: Path, error: OSError) -> Problem:
    return Problem(
        f"The known-good list cannot be read: {error.strerror or error}",
        "See that it belongs to you, and whether its disk is well.",
        about=shown_path(path),
    )
