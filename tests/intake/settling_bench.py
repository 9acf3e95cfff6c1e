"""A Settling on the fake clock over real files, and time that passes only when nothing is to do."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from checkfirst.intake.settling import Settling
from checkfirst.model import Sighting
from checkfirst.policy.settle import Rules
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from checkfirst.intake.look import Settled

RULES = Rules(settle=2.0, longer=False, temporary_expires=7 * 86400.0)


async def do(function, *args, **kwargs):
    return await asyncio.to_thread(function, *args, **kwargs)


def write(path: bytes, content: bytes = b"content") -> bytes:
    with open(path, "wb") as file:
        file.write(content)
    return path


class Line:
    """The waiting room, and what came out of it."""

    def __init__(self, folder: bytes, rules: Rules = RULES) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.sightings: asyncio.Queue[list[Sighting]] = asyncio.Queue()
        self.lists: list[list[Settled]] = []
        self.spared: set[bytes] = set()
        self.leases = True
        self.expected: list[int] = []
        self.settling = Settling(
            rules=rules,
            sightings=self.sightings,
            settled=self._take,
            spares=lambda sighting, _: sighting.path in self.spared,
            clock=self.clock,
            leases=lambda _: self.leases,
            expect=lambda pending: self.expected.append(pending()),
        )

    async def __aenter__(self):
        self._run = asyncio.create_task(self.settling.run())
        return self

    async def __aexit__(self, *_) -> None:
        self._run.cancel()
        await asyncio.wait([self._run])

    async def _take(self, settled: list[Settled]) -> None:
        self.lists.append(settled)

    def below(self, name: bytes) -> bytes:
        return os.path.join(self.folder, name)

    @property
    def settled(self) -> list[Settled]:
        return [one for some in self.lists for one in some]

    @property
    def names(self) -> list[bytes]:
        return [one.sighting.path[len(self.folder) + 1 :] for one in self.settled]

    async def sight(self, *names: bytes, asked: bool = False) -> None:
        self.sightings.put_nowait([Sighting(self.folder, self.below(n), asked) for n in names])
        await self.idle()

    async def idle(self) -> None:
        """Wait until no look is under way and nothing is due."""
        async with asyncio.timeout(10):
            await asyncio.sleep(0)
            while self._is_busy(self.clock.monotonic()):  # noqa: ASYNC110  (no event tells)
                await asyncio.sleep(0.0005)  # a thread looks, in real time
        await self.clock.advance(0)

    def _is_busy(self, now: float) -> bool:
        if self._run.done():
            self._run.result()
        entries = self.settling._entries.values()
        return not self.sightings.empty() or any(e.due is None or e.due <= now for e in entries)

    async def passes(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        await self.idle()
        while (left := end - self.clock.monotonic()) > 0:
            due = self.clock.next_due
            await self.clock.advance(left if due is None else min(due, left))
            await self.idle()
