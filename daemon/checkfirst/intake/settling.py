"""From sightings to settled files: one loop for all of them, no task or timer for each.

A path is looked at when it is sighted, whenever a hint comes, and when its quiet time may be over.
It knows neither the journal nor the vault's folders; where a settled file goes from here is told by
`done` and `again`.
"""

import asyncio
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from checkfirst.clock import Clock
from checkfirst.intake.alarm import Alarm
from checkfirst.intake.holder import holders_blocking
from checkfirst.intake.look import Asked, Looker, Settled
from checkfirst.intake.looks import Looks, Seen
from checkfirst.model import Sighting, Stamp
from checkfirst.policy.names import show
from checkfirst.policy.settle import Forget, Rules, Wait, Watched, begin, stuck

_log = logging.getLogger(__name__)

LOOKED_AT_ONCE = 1024
"""Paths in one thread hop: some 15 ms."""

HANDED_AT_ONCE = 256
"""Settled files in one list."""

_TOGETHER_SECONDS = 0.005
"""What is due within so short a time is due at the end of it, so that a burst has few dates."""


class _Entry:
    """One path that has not settled."""

    __slots__ = ("due", "hinted", "postponed", "sighting", "watched")

    def __init__(self, sighting: Sighting, watched: Watched) -> None:
        self.sighting = sighting
        self.watched = watched
        self.due: float | None = None
        """None while a thread looks at it."""
        self.postponed = False
        """At the last look it was one of those that may lie about for days."""
        self.hinted = False
        """A hint came during the look, so the look may have been too early."""


class Settling:
    """The waiting room; every method is called on the loop."""

    def __init__(
        self,
        *,
        rules: Rules,
        sightings: asyncio.Queue[list[Sighting]],
        settled: Callable[[list[Settled]], Awaitable[None]],
        spares: Callable[[Sighting, Stamp], bool],
        clock: Clock,
        leases: Callable[[bytes], bool],
        expect: Callable[[Callable[[], int]], None] = lambda _: None,
    ) -> None:
        """`spares` is called in a thread; `leases` tells of a root whether it has them.

        `expect` is given `pending` whenever there may be more.
        """
        self._sightings = sightings
        self._settled = settled
        self._leases = leases
        self._expect = expect
        self._clock = clock
        self._looker = Looker(rules, spares)
        self._alarm = Alarm(clock)
        self._entries: dict[bytes, _Entry] = {}
        self._dates: list[tuple[float, int, list[_Entry]]] = []
        """A heap. Entries that have another date by now are left in it."""
        self._order = itertools.count()
        self._handed: dict[bytes, Sighting | None] = {}
        self._stuck: dict[bytes, str] = {}

    async def run(self) -> None:
        """Settle until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take_in(), name="sightings")
            group.create_task(self._look(group), name="settling")

    def done(self, paths: Iterable[bytes]) -> None:
        """These have left the line: held, or gone. What was sighted there meanwhile is news."""
        news = [self._handed.pop(path, None) for path in paths]
        self._note([sighting for sighting in news if sighting is not None])

    def again(self, sighting: Sighting, seconds: float) -> None:
        """It could not be taken: begin anew with it after so many seconds, or at the next hint."""
        now = self._clock.monotonic()
        hint = self._handed.pop(sighting.path, None)
        self._schedule([_Entry(sighting, begin(now))], now if hint is not None else now + seconds)

    def pending(self) -> int:
        """How many paths may settle soon: growing files, and files in use.

        Those that lie about quiet, under a temporary name or empty, are not counted.
        """
        return sum(not entry.postponed for entry in self._entries.values())

    def marks(self, root: bytes) -> bool:
        """Whether files below this root may have a mark of origin beside them."""
        return self._looker.may_be_paired(root)

    def handed(self) -> int:
        """How many have settled and are on their way out of the folder."""
        return len(self._handed)

    def problems(self) -> list[str]:
        """Files that somebody has kept open for writing for ten minutes, and who."""
        return list(self._stuck.values())

    def _note(self, sightings: Iterable[Sighting]) -> None:
        now = self._clock.monotonic()
        begun = begin(now)
        due: dict[bytes, _Entry] = {}
        for sighting in sightings:
            path = sighting.path
            if path in self._handed:
                self._handed[path] = sighting
                continue
            entry = self._entries.get(path) or due.get(path)
            if entry is None:
                due[path] = _Entry(sighting, begun)
                continue
            if sighting.asked:
                entry.sighting = sighting
            if entry.due is not None and entry.due > now:
                due[path] = entry
            elif entry.due is None and path not in due:
                entry.hinted = True
        self._schedule(due.values(), now)

    def _schedule(self, entries: Collection[_Entry], due: float) -> None:
        if not entries:
            return
        for entry in entries:
            entry.due = due
            self._entries[entry.sighting.path] = entry
        date = (due, next(self._order), list(entries))
        heapq.heappush(self._dates, date)
        if self._dates[0] is date:
            self._alarm.ring()

    def _schedule_each(self, waits: Sequence[tuple[_Entry, float]]) -> None:
        """The same for entries that have dues of their own, near ones as one."""
        together: list[_Entry] = []
        first = last = 0.0
        for entry, due in waits:
            if not first <= due <= first + _TOGETHER_SECONDS:
                self._schedule(together, last)
                together, first, last = [], due, due
            together.append(entry)
            last = max(last, due)
        self._schedule(together, last)

    async def _take_in(self) -> None:
        while True:
            sightings = await self._sightings.get()
            self._looker.heed(sightings)
            self._note(sightings)
            self._expect(self.pending)

    async def _look(self, group: asyncio.TaskGroup) -> None:
        async def seen(results: Seen) -> None:
            await self._find_holders(looks.thread, results)
            await self._follow(results)

        looks = Looks(self._looker, self._clock.monotonic, seen, group)
        try:
            while True:
                await self._alarm.sleep_until(self._dates[0][0] if self._dates else None)
                while asked := self._take_due():
                    await looks.at(asked)
        finally:
            looks.close()

    def _take_due(self) -> list[Asked]:
        now = self._clock.monotonic()
        asked: list[Asked] = []
        leases: dict[bytes, bool] = {}
        while self._dates and self._dates[0][0] <= now and len(asked) < LOOKED_AT_ONCE:
            due, order, entries = heapq.heappop(self._dates)
            room = LOOKED_AT_ONCE - len(asked)
            if len(entries) > room:
                heapq.heappush(self._dates, (due, order, entries[room:]))
            for entry in entries[:room]:
                sighting = entry.sighting
                # Else it was looked at sooner, has settled, or another entry has its place.
                if entry.due == due and self._entries.get(sighting.path) is entry:
                    entry.due = None
                    if (root := sighting.root) not in leases:
                        leases[root] = self._leases(root)
                    asked.append(Asked(sighting, entry.watched, leases[root]))
        return asked

    async def _follow(self, results: Seen) -> None:
        now = self._clock.monotonic()
        settled: list[Settled] = []
        waits: list[tuple[_Entry, float]] = []
        for asked, result in results:
            path = asked.sighting.path
            entry = self._entries[path]
            hinted, entry.hinted = entry.hinted, False
            match result:
                case Settled():
                    del self._entries[path]
                    self._handed[path] = entry.sighting if hinted else None
                    settled.append(result)
                case Wait():
                    entry.watched, entry.postponed = result.entry, result.postponed
                    waits.append((entry, now if hinted else result.due))
                case Forget() if hinted:
                    waits.append((_Entry(entry.sighting, begin(now)), now))
                case Forget():
                    del self._entries[path]
                    _log.debug("%s is left alone: %s", show(path), result.reason)
        self._schedule_each(waits)
        for start in range(0, len(settled), HANDED_AT_ONCE):
            await self._settled(settled[start : start + HANDED_AT_ONCE])

    async def _find_holders(self, thread: ThreadPoolExecutor, results: Seen) -> None:
        now = self._clock.monotonic()
        fresh: dict[bytes, tuple[int, int]] = {}
        for asked, result in results:
            path = asked.sighting.path
            if not isinstance(result, Wait) or not stuck(result.entry, now):
                self._stuck.pop(path, None)
            elif path not in self._stuck and result.entry.stamp is not None:
                fresh[path] = (result.entry.stamp.dev, result.entry.stamp.ino)
        if not fresh:
            return
        loop = asyncio.get_running_loop()
        holders = await loop.run_in_executor(thread, holders_blocking, set(fresh.values()))
        for path, file in fresh.items():
            self._stuck[path] = (
                f"{show(path)} has been kept open for writing for ten minutes by {holders[file]}, "
                f"so it cannot be checked. Close or end that program."
            )
