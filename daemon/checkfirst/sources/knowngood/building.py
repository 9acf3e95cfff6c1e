"""Builds a known-good list from any number of hashes in any order, in little memory.

They are dealt into piles on the disk first; then one pile after the other is sorted and written.
The new list is read back whole, and only then put in the old one's place.
"""

import hashlib
import os
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from checkfirst.errors import Problem
from checkfirst.sources.knowngood.draft import Draft, write_all_blocking
from checkfirst.sources.knowngood.format import (
    HEAD_BYTES,
    KEYS_AT,
    MOST_KEYS,
    SLOTS,
    Facts,
    Tables,
    head,
    key_of,
    packed,
    shown_path,
)
from checkfirst.sources.knowngood.hashset import Shown
from checkfirst.sources.knowngood.piles import PILES, Piles
from checkfirst.sources.knowngood.reading import KnownGoodList


def write_blocking(
    draft: Draft, target: Path, good: Piles, bad: Piles, facts: Facts, shown: Shown
) -> Facts:
    """Write what is in `good` and not in `bad`, check it, and put it in the list's place.

    Gives the facts as they were written. Raises Problem, and OSError.
    """
    descriptor = draft.descriptor
    before, sums = array("I", [0]), array("I")
    count = left_out = 0
    os.lseek(descriptor, KEYS_AT, os.SEEK_SET)
    with shown("Sorting", good.size, "hashes") as advance:
        for number in range(PILES):
            pile, unwanted = good.pile(number), bad.pile(number)
            left_out += len(unwanted)
            digests = sorted(pile - unwanted)
            if count + len(digests) > MOST_KEYS:  # pragma: no cover
                raise Problem("These hashes are too many for one list", "Leave some out.")
            for keys in _slots(number, digests):
                count += len(keys)
                before.append(count)
                content = b"".join(keys)
                sums.append(zlib.crc32(content))
                write_all_blocking(descriptor, content)
            advance(good.size // PILES)
    tables = packed(Tables(before, sums))
    total = hashlib.sha256(tables).hexdigest()
    facts = replace(facts, count=count, left_out=left_out, tables_sum=total)
    if not count:
        raise Problem(
            "There is no hash to be listed",
            "A list of nothing would be of no use; the old one stays, if there was one.",
        )
    os.lseek(descriptor, HEAD_BYTES, os.SEEK_SET)
    write_all_blocking(descriptor, tables)
    os.lseek(descriptor, 0, os.SEEK_SET)
    write_all_blocking(descriptor, head(facts))
    _check_blocking(draft.path, shown)
    draft.put_in_place_blocking(target)
    return facts


def _slots(number: int, digests: list[bytes]) -> Iterator[list[bytes]]:
    """The keys of each slot of a pile; `digests` in order."""
    first = 0
    for second in range(SLOTS // PILES):
        is_last = second == SLOTS // PILES - 1
        upto = bytes([number, second + 1]) if not is_last else b""
        end = len(digests) if is_last else bisect_left(digests, upto, first)
        yield [key_of(digest) for digest in digests[first:end]]
        first = end


def _check_blocking(path: Path, shown: Shown) -> None:
    """Raises DamagedError where the disk has not kept what was written."""
    written = KnownGoodList.open_blocking(path)
    if written is None:
        raise Problem("The new list has vanished while it was written", about=shown_path(path))
    with written, shown("Checking", written.facts.count, "hashes") as advance:
        before = 0
        for checked in written.verify_blocking():
            advance(checked - before)
            before = checked
