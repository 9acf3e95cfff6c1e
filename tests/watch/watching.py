"""What the tests of watching share: a bench with a real watcher, and real files made in threads."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

from checkfirst.watch.watcher import Watcher

if TYPE_CHECKING:
    from checkfirst.model import Sighting
    from checkfirst.watch.telling import WatchEvent
    from tests.fakes.clock import FakeClock

PATIENCE = 10.0


def write(path: bytes, content: bytes = b"content") -> bytes:
    with open(path, "wb") as file:
        file.write(content)
    return path


async def do(function, *args, **kwargs):
    """Blocking work, away from the loop."""
    return await asyncio.to_thread(function, *args, **kwargs)


def watchers_threads() -> list[str]:
    return [
        type(thread).__name__
        for thread in threading.enumerate()
        if type(thread).__module__.startswith(("watchdog", "checkfirst.watch"))
    ]


class Bench:
    def __init__(self, base: bytes, clock: FakeClock) -> None:
        self.base = base
        self.clock = clock
        self.downloads = base + b"/Downloads"
        self.state = base + b"/state"
        self.sightings: asyncio.Queue[list[Sighting]] = asyncio.Queue()
        self.events: asyncio.Queue[WatchEvent] = asyncio.Queue()
        self.watcher: Watcher | None = None
        self._run: asyncio.Task[None] | None = None

    async def watch(self, *folders: bytes, **settings) -> Watcher:
        chosen = {
            "recursive": False,
            "watcher": "auto",
            "existing": "take",
            "sweep_every": 300.0,
            "excluded": frozenset(),
            **settings,
        }
        self.watcher = Watcher(
            folders or (self.downloads,),
            state=self.state,
            sightings=self.sightings,
            clock=self.clock,
            moves=lambda _: "rename",
            on_event=self.events.put_nowait,
            **chosen,
        )
        await self.watcher.start()
        self._run = asyncio.create_task(self.watcher.run())
        return self.watcher

    async def close(self) -> None:
        if self._run is not None:
            self._run.cancel()
            await asyncio.wait([self._run])
            self._run = None
        if self.watcher is not None:
            await self.watcher.stop()

    async def sees(self, *paths: bytes) -> set[bytes]:
        """Wait until all these have been sighted; gives everything that was by then."""
        seen: set[bytes] = set()
        async with asyncio.timeout(PATIENCE):
            while not seen.issuperset(paths):
                seen.update(sighting.path for sighting in await self.sightings.get())
        return seen

    async def told(self) -> WatchEvent:
        async with asyncio.timeout(PATIENCE):
            return await self.events.get()

    def below(self, name: bytes) -> bytes:
        return os.path.join(self.downloads, name)
