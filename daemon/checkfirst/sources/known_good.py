"""Files that published hash sets know, such as NIST's: answered from a list in the state folder.

The list is read where it lies. A new one is noticed at the next question, at most a second later,
and takes over between two batches; a damaged one is refused until another one lies there. How the
list is made is not known here.
"""

import asyncio
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from checkfirst.clock import Clock
from checkfirst.errors import Problem
from checkfirst.model import Fingerprint, SourceHealth, Verdict, VerdictKind
from checkfirst.sources.knowngood.format import DamagedError
from checkfirst.sources.knowngood.reading import KnownGoodList

LOOK_SECONDS = 1.0
"""How often it is looked for a list while there is none that can be used."""

Identity = tuple[int, int, int, int]
"""What tells one file from another: device, inode, size, and when anything about it changed."""


class KnownGood:
    """A local source over the known-good list."""

    name = "known-good"

    def __init__(self, path: Path, clock: Clock) -> None:
        """Looks for the list, so not on the event loop."""
        self._path = path
        self._clock = clock
        self._turn = threading.Lock()
        """Two batches may be asked at once, and none may close the list under the other."""
        self._list: KnownGoodList | None = None
        self._seen: Identity | None = None
        self._refused: Problem | None = None
        self._asked = self._answered = 0
        self._look_blocking()
        self._looked_at = clock.monotonic()

    async def answer(self, prints: Sequence[Fingerprint]) -> dict[str, Verdict]:
        """Give a verdict for each hash that is listed. Raises Problem while the list is refused."""
        now = self._clock.monotonic()
        if self._list is not None or now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            digests = [bytes.fromhex(one.sha256) for one in prints]
            listed, where = await asyncio.to_thread(self._find_blocking, digests)
        elif self._refused is not None:
            raise self._refused.with_traceback(None)  # which would grow each time
        else:
            listed, where = set[bytes](), ""
        self._asked += len(prints)
        self._answered += len(listed)
        return {digest.hex(): verdict(where) for digest in listed}

    def health(self) -> SourceHealth:
        """It is well without a list, and not with one that is damaged."""
        return SourceHealth(
            self.name,
            self._asked,
            self._answered,
            healthy=self._refused is None,
            problem=str(self._refused) if self._refused else None,
        )

    def _find_blocking(self, digests: Sequence[bytes]) -> tuple[set[bytes], str]:
        """Those that are listed, and by which sets. Raises Problem."""
        with self._turn:
            self._look_blocking()
            if self._refused is not None:
                raise self._refused.with_traceback(None)
            if self._list is None:
                return set(), ""
            try:
                listed = {digest for digest in digests if self._list.has_blocking(digest)}
            except Problem as problem:
                self._refuse(problem)
                raise
            return listed, self._list.facts.source

    def _look_blocking(self) -> None:
        """Use the list that lies there now, unless it is the one that is used or refused."""
        seen = identity_blocking(self._path)
        if seen == self._seen:
            return
        self._seen, self._refused = seen, None
        try:
            self._use(KnownGoodList.open_blocking(self._path))
        except Problem as problem:
            self._refuse(problem)

    def _refuse(self, problem: Problem) -> None:
        """Do without a list; one that is not damaged is tried again at the next look."""
        self._use(None)
        self._refused = problem
        if not isinstance(problem, DamagedError):
            self._seen = None

    def _use(self, new: KnownGoodList | None) -> None:
        old, self._list = self._list, new
        if old is not None:
            old.close()


def verdict(where: str) -> Verdict:
    """What is said of a listed file; `where`: the sets that list it."""
    return Verdict(VerdictKind.CLEAN, KnownGood.name, f"on the known-good list ({where})")


def identity_blocking(path: Path) -> Identity | None:
    """What tells the list that lies there from any other; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:  # a list that is there and cannot be reached is told by whoever opens it
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns
