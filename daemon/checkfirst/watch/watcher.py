"""All watched folders: what is noticed goes into one queue, as lists of sightings.

An event is a hint, a scan is the truth. So besides the observers there is a full sweep at start,
after an overflow, after a folder was opened anew and every `sweep_every`; and since threads that
run prove nothing, every `look_every` each path is checked to be still the folder that was opened.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Literal

from checkfirst.clock import Clock
from checkfirst.errors import CheckfirstError
from checkfirst.model import FolderHealth, Sighting, Stamp
from checkfirst.policy.names import show
from checkfirst.watch.baseline import Baseline
from checkfirst.watch.folder import LONGEST_LIST, Folder, Rules
from checkfirst.watch.hints import Heard, Hints
from checkfirst.watch.root import Root, WatcherChoice, WatchProblem
from checkfirst.watch.telling import Trouble, WatchEvent

_log = logging.getLogger(__name__)

BASELINE_FILE = b"existing.json"
"""In the state folder."""

_EVENTS_MAY_BE_LOST_SILENTLY = sys.platform != "linux"
"""FSEvents and ReadDirectoryChangesW drop events without a word: there a scan runs beside them."""


_MANY_FOLDERS = 256
"""When more have appeared at once, one full sweep is cheaper than a look into each."""


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
        self._sweep_every = sweep_every
        self._look_every = look_every
        self._poll_every = poll_every
        self._baseline = Baseline(os.path.join(state, BASELINE_FILE), clock.now)
        self._folders: tuple[Folder, ...] = ()
        self._heard: dict[Folder, Heard] = {}
        self._hint = asyncio.Event()
        self._opening = asyncio.Lock()

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
        loop = asyncio.get_running_loop()

        def hints(folder: Folder) -> Hints:
            return Hints(
                loop,
                lambda heard: self._take_note(folder, heard),
                recursive=rules.recursive,
                excluded=rules.excluded,
            )

        self._folders = tuple(
            Folder(configured, rules, self._baseline, hints) for configured in self._configured
        )
        problems: list[WatchProblem] = []
        for folder in self._folders:
            try:
                await asyncio.to_thread(folder.open_blocking)
            except WatchProblem as problem:
                problems.append(problem)
                self._on_event(WatchEvent(Trouble.LOST, folder.configured, str(problem)))
            self._tell_limit(folder, None)
        if insist and problems and len(problems) == len(self._folders):
            raise problems[0]
        for folder in self._folders:
            await self._sweep(folder)

    async def run(self) -> None:
        """Keep watching until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_hints(), name="watch hints")
            group.create_task(self._look_after(), name="watch health")
            group.create_task(self._sweep_now_and_then(), name="watch sweep")
            group.create_task(self._poll(), name="watch poll")

    async def stop(self) -> None:
        """End all observers and wait for their threads."""
        for folder in self._folders:
            await asyncio.to_thread(folder.close_blocking)

    def health(self) -> list[FolderHealth]:
        """What status tells of each folder."""
        return [folder.health(self._moves) for folder in self._folders]

    @property
    def roots(self) -> tuple[Root, ...]:
        """The folders as they were opened; one that is away keeps its last root."""
        return tuple(folder.root for folder in self._folders if folder.root is not None)

    def leases(self, root: bytes) -> bool:
        """Whether a lease means anything below this root; a folder that is not watched may try."""
        for folder in self._folders:
            known = folder.root
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
        for folder in self._folders:
            await self._sweep(folder)

    async def forget(self, sightings: Sequence[Sighting]) -> None:
        """Let files from before the first start be like any other (`checkfirst take`)."""
        paths: dict[bytes, list[bytes]] = {}
        for sighting in sightings:
            paths.setdefault(sighting.root, []).append(sighting.path)
        for root, below in paths.items():
            await asyncio.to_thread(self._baseline.forget_blocking, root, below)

    def _take_note(self, folder: Folder, heard: Heard) -> None:
        if heard.lost:
            folder.suspect()
        root = folder.root
        if root is None:  # being opened for the first time: the sweep that follows finds it all
            return
        if heard.files:
            for start in range(0, len(heard.files), LONGEST_LIST):
                paths = heard.files[start : start + LONGEST_LIST]
                self._sightings.put_nowait([Sighting(root.path, path) for path in paths])
        if heard.folders or heard.overflowed or heard.lost:
            before = self._heard.get(folder, Heard((), (), overflowed=False, lost=False))
            self._heard[folder] = Heard(
                files=(),
                folders=(*before.folders, *heard.folders),
                overflowed=before.overflowed or heard.overflowed,
                lost=before.lost or heard.lost,
            )
            self._hint.set()

    async def _follow_hints(self) -> None:
        while True:
            await self._hint.wait()
            self._hint.clear()
            heard, self._heard = self._heard, {}
            for folder, hint in heard.items():
                if hint.overflowed:
                    text = f"More happened than the kernel could tell: {show(folder.configured)}"
                    self._on_event(WatchEvent(Trouble.OVERFLOW, folder.configured, text))
                if hint.lost:
                    await self._open_again(folder)
                elif hint.overflowed or len(hint.folders) > _MANY_FOLDERS:
                    await self._sweep(folder)
                elif hint.folders:
                    self._put(await asyncio.to_thread(folder.look_into_blocking, hint.folders))

    async def _look_after(self) -> None:
        while True:
            await self._clock.sleep(self._look_every)
            for folder in self._folders:
                if not await asyncio.to_thread(folder.is_fine_blocking):
                    await self._open_again(folder)

    async def _sweep_now_and_then(self) -> None:
        while True:
            await self._clock.sleep(self._sweep_every)
            for folder in self._folders:
                if folder.limit is None:
                    await self._sweep(folder)
                else:  # it may have been raised, or others may have given back what they had
                    folder.suspect()
                    await self._open_again(folder)

    async def _poll(self) -> None:
        while True:
            await self._clock.sleep(self._poll_every)
            for folder in self._folders:
                root = folder.root
                if folder.polls or (root is not None and _EVENTS_MAY_BE_LOST_SILENTLY):
                    await self._sweep(folder, everything=False)

    async def _open_again(self, folder: Folder) -> None:
        async with self._opening:
            if await asyncio.to_thread(folder.is_fine_blocking):
                return
            was_away, limit = folder.problem is not None, folder.limit
            try:
                await asyncio.to_thread(folder.open_blocking)
            except WatchProblem as problem:
                if not was_away:
                    self._on_event(WatchEvent(Trouble.LOST, folder.configured, str(problem)))
                return
        self._tell_limit(folder, limit)
        if folder.limit is None:
            text = f"The folder is watched again: {show(folder.configured)}"
            self._on_event(WatchEvent(Trouble.BACK, folder.configured, text))
        await self._sweep(folder)

    def _tell_limit(self, folder: Folder, before: str | None) -> None:
        """Once, not whenever it is still there."""
        if folder.limit is not None and before is None:
            text = f"{folder.limit} Until then it is looked through every few seconds."
            self._on_event(WatchEvent(Trouble.LIMITED, folder.configured, text))

    async def _sweep(self, folder: Folder, *, everything: bool = True) -> None:
        try:
            lists = await asyncio.to_thread(folder.sweep_blocking, everything=everything)
        except (OSError, CheckfirstError) as error:
            _log.debug("%s could not be swept: %s", show(folder.configured), error)
            folder.suspect()  # the next look finds out what is wrong, and tells
            return
        self._put(lists)

    def _put(self, lists: list[list[Sighting]]) -> None:
        for batch in lists:
            self._sightings.put_nowait(batch)


def _resolved_blocking(paths: frozenset[bytes]) -> frozenset[bytes]:
    return frozenset(os.path.realpath(path) for path in paths)
