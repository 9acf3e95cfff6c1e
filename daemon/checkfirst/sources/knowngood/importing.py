"""An import from its beginning to its end: from files that somebody published to the one list."""

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from checkfirst import interruptible
from checkfirst.errors import Problem
from checkfirst.policy.names import show
from checkfirst.sources.knowngood.building import write_blocking
from checkfirst.sources.knowngood.draft import drafting_blocking
from checkfirst.sources.knowngood.format import LONGEST_SOURCE, Facts, shown_path
from checkfirst.sources.knowngood.hashset import HashSet, Shown, unreadable
from checkfirst.sources.knowngood.nsrl import MAGIC, Nsrl
from checkfirst.sources.knowngood.piles import Piles
from checkfirst.sources.knowngood.text import Text

STANDARD_INPUT = Path("-")
_PACKED = (
    *(b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh"),
    *(b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd"),
)
"""How archives begin: zip and an empty one, gzip, bzip2, xz, 7z, zstd."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import."""

    facts: Facts
    remarks: tuple[str, ...]
    """What was left out or passed over, a clause each."""


def import_blocking(
    paths: Sequence[Path], target: Path, now: float, shown: Shown, *, every_product: bool
) -> Imported:
    """Replace the list by one of these sets together. Raises Problem; the old list then stays.

    `-` is standard input. `every_product`: those that are no recommendation as well.
    """
    with contextlib.ExitStack() as opened:
        sets = [opened.enter_context(_opened(path, every_product=every_product)) for path in paths]
        draft = opened.enter_context(drafting_blocking(target))
        good, bad = opened.enter_context(_piles(target.parent))
        for hashes in sets:
            _deal(hashes, good, bad, shown)
        facts = Facts(_names(sets), now, 0)
        written = write_blocking(draft, target, good, bad, facts, shown)
        return Imported(written, tuple(each for hashes in sets for each in hashes.remarks()))


def _names(sets: Sequence[HashSet]) -> str:
    names = ", ".join(hashes.name for hashes in sets)
    return names if len(names) <= LONGEST_SOURCE else f"{names[: LONGEST_SOURCE - 1]}…"


def _deal(hashes: HashSet, good: Piles, bad: Piles, shown: Shown) -> None:
    with shown(f"Reading {hashes.name}", hashes.total(), hashes.unit) as advance:
        for chunk in hashes.chunks():
            good.add(chunk.good)
            bad.add(chunk.bad)
            advance(chunk.size)


@contextlib.contextmanager
def _piles(folder: Path) -> Iterator[tuple[Piles, Piles]]:
    with contextlib.closing(Piles(folder)) as good, contextlib.closing(Piles(folder)) as bad:
        yield good, bad


@contextlib.contextmanager
def _opened(path: Path, *, every_product: bool) -> Iterator[HashSet]:
    """Whatever it is that lies there. Raises Problem."""
    if path == STANDARD_INPUT:
        with interruptible.standard_input() as stream:
            yield _text(stream, "standard input", None)
        return
    name = shown_path(path)
    try:
        stream = interruptible.open_blocking(path)
    except OSError as error:
        raise unreadable(name, error.strerror or str(error)) from error
    with stream:
        status = os.fstat(stream.fileno())
        if stat.S_ISREG(status.st_mode) and stream.peek(len(MAGIC)).startswith(MAGIC):
            with contextlib.closing(Nsrl(path, every_product=every_product)) as nsrl:
                yield nsrl
            return
        size = status.st_size if stat.S_ISREG(status.st_mode) else None
        yield _text(stream, show(os.fsencode(path.name)), size)


def _text(stream: BufferedReader, name: str, size: int | None) -> Text:
    head = stream.peek(len(MAGIC))
    if head.startswith(MAGIC):
        raise Problem("A database cannot be read from a pipe", "Give its path.", about=name)
    if head.startswith(_PACKED):
        raise Problem(
            "This is an archive", "Unpack it, and give the path of what was in it.", about=name
        )
    if head.startswith(_UTF16):
        raise Problem("This text is in UTF-16", "Save it as UTF-8.", about=name)
    return Text(stream, name, size)
