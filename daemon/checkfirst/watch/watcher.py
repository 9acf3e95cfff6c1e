"""All watched folders: what is noticed goes into one queue, as lists of sightings.

How one folder is watched stands in `guard`; here is what they share, and what others may ask.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Literal

from checkfirst.clock import Clock
from checkfirst.model import FolderHealth, Sighting, Stamp
from checkfirst.watch.baseline import Baseline
from checkfirst.watch.folder import Rules
from checkfirst.watch.guard import Guard, Rhythm
from checkfirst.watch.root import Root, WatcherChoice
from checkfirst.watch.telling import Trouble, WatchEvent

BASELINE_FILE = b"existing.json"
"""In the state folder."""


class Watcher:
    """Watches the folders of the settings; `sightings` must be an unbounded queue."""

    def __init__(  # noqa: PLR0913  (the whole of the settings' part on watching)
        self,
        folders: Sequence[bytes],
        *,
        recursive: bool,
        watcher: WatcherChoice,
        existing: Literal["leave", "take"],
        sweep_every: float,
        excluded: frozenset[bytes],
        state: bytes,
        sightings: asyncio.Queue[list[Sighting]],
        clock: Clock,
        moves: Callable[[bytes], str],
        on_event: Callable[[WatchEvent], None],
        look_every: float = 5.0,
        poll_every: float = 2.0,
        answer_within: float = 30.0,
    ) -> None:
        """`moves` tells of a root whether files leave it by `rename` or `copy`."""
        self._configured = tuple(dict.fromkeys(folders))
        self._recursive = recursive
        self._watcher = watcher
        self._existing = existing
        self._excluded = excluded
        self._sightings = sightings
        self._clock = clock
        self._moves = moves
        self._on_event = on_event
        self._rhythm = Rhythm(sweep_every, look_every, poll_every, answer_within)
        self._baseline = Baseline(os.path.join(state, BASELINE_FILE), clock.now)
        self._guards: tuple[Guard, ...] = ()

    async def start(self, *, insist: bool = True) -> None:
        """Open all folders and sweep them; what cannot be opened now is tried again and again.

        With `insist` it raises WatchProblem when not one can be opened.
        """
        await asyncio.to_thread(self._baseline.load_blocking)
        if self._baseline.notice is not None:
            self._on_event(WatchEvent(Trouble.NOTICE, b"", self._baseline.notice))
        rules = Rules(
            recursive=self._recursive,
            watcher=self._watcher,
            existing=self._existing,
            excluded=await asyncio.to_thread(_resolved_blocking, self._excluded),
        )
        self._guards = tuple(
            Guard(
                configured,
                rules,
                self._baseline,
                clock=self._clock,
                rhythm=self._rhythm,
                found=self._sightings.put_nowait,
                on_event=self._on_event,
            )
            for configured in self._configured
        )
        problems = [problem for guard in self._guards if (problem := await guard.open())]
        if insist and problems and len(problems) == len(self._guards):
            raise problems[0]
        await self.sweep()

    async def run(self) -> None:
        """Keep watching until cancelled."""
        async with asyncio.TaskGroup() as group:
            for guard in self._guards:
                group.create_task(guard.run(), name="watch folder")

    async def stop(self) -> None:
        """End all observers and wait for their threads."""
        for guard in self._guards:
            await guard.close()

    def health(self) -> list[FolderHealth]:
        """What status tells of each folder."""
        return [guard.folder.health(self._moves) for guard in self._guards]

    @property
    def roots(self) -> tuple[Root, ...]:
        """The folders as they were opened; one that is away keeps its last root."""
        return tuple(root for guard in self._guards if (root := guard.folder.root) is not None)

    def leases(self, root: bytes) -> bool:
        """Whether a lease means anything below this root; a folder that is not watched may try."""
        for guard in self._guards:
            known = guard.folder.root
            if known is not None and known.path == root:
                return known.leases
        return True

    def spares_blocking(self, sighting: Sighting, stamp: Stamp) -> bool:
        """Whether the file was there before the first start and is to be left alone."""
        if self._existing == "take" or sighting.asked:
            return False
        return self._baseline.spares_blocking(sighting.root, sighting.path, stamp.dev, stamp.ino)

    async def sweep(self) -> None:
        """Look at everything now."""
        for guard in self._guards:
            await guard.sweep()

    async def forget(self, sightings: Sequence[Sighting]) -> None:
        """Let files from before the first start be like any other (`checkfirst take`)."""
        paths: dict[bytes, list[bytes]] = {}
        for sighting in sightings:
            paths.setdefault(sighting.root, []).append(sighting.path)
        for root, below in paths.items():
            await asyncio.to_thread(self._baseline.forget_blocking, root, below)


def _resolved_blocking(paths: frozenset[bytes]) -> frozenset[bytes]:
    return frozenset(os.path.realpath(path) for path in paths)
