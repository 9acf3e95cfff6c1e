"""Hashes dealt into piles on the disk, so that any number of them is sorted in little memory.

The piles lie in a file without a name, which ends with us, however we end.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from checkfirst.errors import Problem
from checkfirst.sources.knowngood.draft import write_all_blocking
from checkfirst.sources.knowngood.format import DIGEST_BYTES

PILES = 256
MOST_IN_A_PILE = 2_000_000
"""Different hashes; as SHA-256 spreads evenly, a pile of more means a list of 500 million."""

NEAR_BYTES = 32 * 1024 * 1024
"""So much is kept in memory before it goes to the disk."""


class Piles:
    """Hashes on the disk, dealt by their first byte."""

    def __init__(self, folder: Path, *, near: int = NEAR_BYTES, most: int = MOST_IN_A_PILE) -> None:
        """Scratch space is taken in `folder`; `close` gives it back.

        `near`: bytes that are kept in memory; `most`: different hashes in one pile.
        """
        self._most_near = near
        self._most = most
        self._file: BinaryIO = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._near = [bytearray() for _ in range(PILES)]
        self._far: list[list[tuple[int, int]]] = [[] for _ in range(PILES)]
        """Place and length of the parts of each pile in the file."""
        self._end = 0
        self._near_count = 0
        self.size = 0
        """How many hashes were dealt, repetitions included."""

    def close(self) -> None:
        """Give the scratch space back."""
        self._file.close()

    def add(self, digests: Iterable[bytes]) -> None:
        """Deal hashes, of which the first 20 bytes count. Raises OSError."""
        near = self._near
        count = 0
        for digest in digests:
            near[digest[0]] += digest[:DIGEST_BYTES]
            count += 1
        self.size += count
        self._near_count += count
        if self._near_count * DIGEST_BYTES >= self._most_near:
            self._put_away()

    def pile(self, number: int) -> set[bytes]:
        """The hashes that begin with this byte, each once. Raises Problem: they are too many."""
        found: set[bytes] = set()
        for part in self._parts(number):
            found.update(part[at : at + DIGEST_BYTES] for at in range(0, len(part), DIGEST_BYTES))
            if len(found) > self._most:
                raise Problem(
                    "These hashes are too many, or not spread as SHA-256 is",
                    f"A list can have some {MOST_IN_A_PILE * PILES // 1_000_000} million hashes.",
                )
        return found

    def _parts(self, number: int) -> Iterator[bytes]:
        for at, size in self._far[number]:
            yield os.pread(self._file.fileno(), size, at)
        yield bytes(self._near[number])

    def _put_away(self) -> None:
        for near, far in zip(self._near, self._far, strict=True):
            if near:
                write_all_blocking(self._file.fileno(), near)
                far.append((self._end, len(near)))
                self._end += len(near)
                near.clear()
        self._near_count = 0
