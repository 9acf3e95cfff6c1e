"""One watched folder through its ups and downs: opened, looked at, lost, opened again.

Everything here blocks and is called in threads; a lock of its own puts the calls in order, so that
a thread whose awaiter was cancelled can never leave an observer behind.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from checkfirst.model import FolderHealth, Sighting
from checkfirst.policy.names import show
from checkfirst.watch.baseline import Baseline
from checkfirst.watch.claim import Claim
from checkfirst.watch.hints import Hints
from checkfirst.watch.observer import (
    Watching,
    observe_blocking,
    watch_limit,
    watch_limit_remedy,
)
from checkfirst.watch.root import (
    Root,
    WatcherChoice,
    WatchLimitError,
    WatchProblem,
    is_same_blocking,
    open_root_blocking,
)
from checkfirst.watch.sweep import Scan, scan_blocking

LONGEST_LIST = 4096
"""Sightings handed on at once."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How folders are watched; the same for all of them."""

    recursive: bool
    watcher: WatcherChoice
    existing: Literal["leave", "take"]
    excluded: frozenset[bytes]
    """Absolute, resolved."""


class Folder:
    """A folder of the setting `watch`."""

    def __init__(
        self,
        configured: bytes,
        rules: Rules,
        baseline: Baseline,
        hints: Callable[["Folder"], Hints],
    ) -> None:
        self.configured = configured
        self.root: Root | None = None
        """As last opened; stays while the folder is away."""
        self.problem: str | None = None
        self._rules = rules
        self._baseline = baseline
        self._hints = hints
        self._watching: Watching | None = None
        self._told: Hints | None = None
        self._limit: str | None = None
        self._claim: Claim | None = None
        self._suspect = False
        self._fine_at: float | None = None
        """When it was last seen to be the folder that was opened."""
        self._not_looked_into = 0
        self.left_out = 0
        """Sub-folders that nobody wants looked into, at the last look."""
        self._seen: dict[bytes, int] = {}
        self._closed = False
        self._lock = threading.Lock()

    def open_blocking(self) -> None:
        """Open, or open anew, what the path resolves to now; raises WatchProblem.

        The baseline comes first, then the observer; the caller's sweep comes last. A file that
        arrives in between is in no baseline and is found by the sweep. Where a limit of the system
        is in the way, the folder is polled meanwhile.
        """
        with self._lock:
            if self._closed:
                return
            self._stop_blocking()
            try:
                root = open_root_blocking(self.configured, self._rules.watcher)
                self._record_blocking(root)
                self._limit = None if root.polling else self._observe_blocking(root)
            except WatchProblem as problem:
                self.problem = str(problem)
                raise
            self.root, self.problem = root, None
            self._seen, self._suspect = {}, False
            self._fine_at = self._baseline.now()
            self._claim = Claim(root)

    def suspect(self) -> None:
        """Something says that it is not watched as it should be: the next look opens it anew."""
        self._suspect = True

    @property
    def polls(self) -> bool:
        """Whether it has to be looked at again and again, as not all changes are told."""
        return self.root is not None and (self.root.polling or self.limit is not None)

    @property
    def limit(self) -> str | None:
        """The limit of the system that keeps changes from being told, with what to do about it.

        Whether it is still in the way shows when the folder is opened anew.
        """
        watching = self._watching
        if self._limit is None and watching is not None and watching.folders_without_watch:
            return f"{watch_limit()}: {show(self.configured)}. {watch_limit_remedy()}"
        return self._limit

    def is_fine_blocking(self) -> bool:
        """Whether the path is still the folder that was opened, and all threads run."""
        with self._lock:
            now = self._baseline.now()
            is_fine = (
                self.root is not None
                and self.problem is None
                and not self._suspect
                and (self._watching is None or self._watching.alive)
                and is_same_blocking(self.root)
            )
            if is_fine:
                self._fine_at = now
                if self._claim is not None:
                    self._claim.try_blocking()
            return is_fine

    def sweep_blocking(self, *, everything: bool) -> list[list[Sighting]]:
        """Look at the whole folder; raises OSError, or WatchProblem when it is another by now.

        Without `everything`, what the last look saw under the same name and inode is left out.
        Files from before the first start always are.
        """
        with self._lock:
            root = self.root
            if root is None or self._closed:
                return []
        scan = self._scan_blocking(root)  # may take long, while the folder is asked how it is
        with self._lock:
            known = {} if everything else self._seen
            self._seen = scan.files if self.polls else {}
            if scan.folders_not_looked_into < self._not_looked_into:
                self._suspect = True  # what may be entered only now has no watch yet
            self._not_looked_into = scan.folders_not_looked_into
            self.left_out = scan.folders_left_out
        return list(self._sightings(root, b"", scan, known))

    def look_into_blocking(self, folders: Iterable[bytes]) -> list[list[Sighting]]:
        """Look at folders that have appeared below the root; what is gone again has nothing."""
        root = self.root
        lists: list[list[Sighting]] = []
        for folder in folders:
            if root is None or not folder.startswith(root.path + b"/"):
                continue
            try:
                scan = scan_blocking(folder, recursive=True, excluded=self._rules.excluded)
            except OSError:
                continue
            prefix = folder[len(root.path) + 1 :] + b"/"
            lists += self._sightings(root, prefix, scan, {})
        return lists

    def close_blocking(self) -> None:
        """End for good, and wait for all threads."""
        with self._lock:
            self._closed = True
            self._stop_blocking()

    def health(self, moves: Callable[[bytes], str]) -> FolderHealth:
        """What status tells; reads nothing."""
        root = self.root
        problem = self.problem or self.limit
        polling = self._rules.watcher == "polling" if root is None else root.polling
        polling = polling or self._limit is not None
        return FolderHealth(
            path=self.configured if root is None else root.path,
            watcher="polling" if polling else "native",
            healthy=problem is None and root is not None,
            moves=moves(self.configured if root is None else root.path),
            folders_not_looked_into=self._not_looked_into,
            folders_left_out=self.left_out,
            problem=problem or (self._claim.problem if self._claim else None),
            leases=root is None or root.leases,
        )

    def _observe_blocking(self, root: Root) -> str | None:
        """Watch it, or say which limit is in the way; raises WatchProblem for all else."""
        self._told = self._hints(self)
        try:
            self._watching = observe_blocking(root, self._told, recursive=self._rules.recursive)
        except WatchLimitError as limit:
            return str(limit)
        return None

    def _scan_blocking(self, root: Root) -> Scan:
        scan = scan_blocking(
            root.path, recursive=self._rules.recursive, excluded=self._rules.excluded
        )
        if (scan.device, scan.inode) != (root.dev, root.ino):
            raise WatchProblem(
                "The watched folder has been replaced by another", about=show(root.configured)
            )
        return scan

    def _record_blocking(self, root: Root) -> None:
        if self._rules.existing == "take" or self._baseline.knows(root):
            return
        try:
            self._baseline.record_blocking(root, self._scan_blocking(root).files, self._fine_at)
        except OSError as error:
            raise WatchProblem(
                f"What is in the folder already cannot be written down ({error.strerror})",
                "Make room or give permission in the state folder.",
                about=show(root.configured),
            ) from error

    def _sightings(
        self, root: Root, prefix: bytes, scan: Scan, known: dict[bytes, int]
    ) -> Iterator[list[Sighting]]:
        batch: list[Sighting] = []
        for name, inode in scan.files.items():
            if known.get(name) == inode:
                continue
            path = os.path.join(root.path, prefix + name)
            if self._spares_blocking(root, path, inode):
                continue
            batch.append(Sighting(root=root.path, path=path))
            if len(batch) == LONGEST_LIST:
                yield batch
                batch = []
        if batch:
            yield batch

    def _spares_blocking(self, root: Root, path: bytes, inode: int) -> bool:
        if self._rules.existing == "take":
            return False
        return self._baseline.spares_blocking(root.path, path, root.dev, inode)

    def _stop_blocking(self) -> None:
        told, self._told = self._told, None
        if told is not None:
            told.close()
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.close()
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.stop_blocking()
