"""Known-good lists for tests, built as an import builds them."""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from checkfirst.sources.knowngood.building import write_blocking
from checkfirst.sources.knowngood.draft import drafting_blocking
from checkfirst.sources.knowngood.format import Facts
from checkfirst.sources.knowngood.piles import Piles


def digests(count: int, first: int = 0) -> list[bytes]:
    """So many SHA-256, always the same ones."""
    return [hashlib.sha256(b"%d" % number).digest() for number in range(first, first + count)]


@contextlib.contextmanager
def unseen(*_) -> Iterator:
    """Nobody looks on."""
    yield lambda _: None


def build(target: Path, good: Iterable[bytes], bad: Iterable[bytes] = (), **facts) -> Facts:
    """Write a list there."""
    told = {"source": "a test", "made_at": 1_764_000_000.0, "count": 0, **facts}
    with drafting_blocking(target) as draft:
        wanted, unwanted = Piles(target.parent), Piles(target.parent)
        try:
            wanted.add(good)
            unwanted.add(bad)
            return write_blocking(draft, target, wanted, unwanted, Facts(**told), unseen)
        finally:
            wanted.close()
            unwanted.close()
