"""What a command needs that moves files by a person's will, put together.

Apart from the daemon's parts, so that such a command loads neither the watcher nor the network.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from checkfirst.clock import Clock
from checkfirst.model import Arrival
from checkfirst.policy.names import show
from checkfirst.settings.places import DATABASE
from checkfirst.settings.schema import Settings
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists as KeptLists
from checkfirst.store.process import process_id
from checkfirst.store.wanted import Wanted


async def open_database(settings: Settings, clock: Clock) -> Database:
    """The database of these settings; see `Database.open` for what it raises."""
    return await Database.open(settings.state / DATABASE, clock)


@dataclass(frozen=True, slots=True)
class Deeds:
    """What a command needs that moves files by a person's will."""

    journal: Journal
    allow: Callable[[str, ListedBy, str], Awaitable[Callable[[], Awaitable[None]]]]
    """Puts a hash on the allow list: hash, by what, a note. What comes back undoes it."""
    allow_restored: Callable[[Arrival], Awaitable[None]]
    """The same for a file that was given back, without a way back."""
    wish: Callable[[Sequence[bytes]], Awaitable[None]]
    """Asks the daemon to take files in."""


async def open_deeds(database: Database, clock: Clock) -> Deeds:
    """Over an open database."""
    process = await asyncio.to_thread(process_id)
    kept, wanted = KeptLists(database, clock), Wanted(database)

    async def allow(sha256: str, by: ListedBy, note: str) -> Callable[[], Awaitable[None]]:
        before = await kept.look_up([sha256])
        await kept.add(Listed(sha256, ListName.ALLOW, by, clock.now(), note))

        async def undo() -> None:
            if before:
                await kept.add(*before.values())
            else:
                await kept.remove(ListName.ALLOW, [sha256])

        return undo

    async def allow_restored(row: Arrival) -> None:
        if row.sha256 is not None:
            await allow(row.sha256, ListedBy.RESTORE, show(row.name))

    async def wish(paths: Sequence[bytes]) -> None:
        await wanted.ask(paths, clock.now())

    return Deeds(Journal(database, process), allow, allow_restored, wish)
