"""Opening the journal for a command that moves files, beside a running daemon or without one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from checkfirst.cli import output
from checkfirst.cli.options import database_of
from checkfirst.clock import SystemClock
from checkfirst.service.by_hand import ByHand
from checkfirst.settings.schema import Settings
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.lists import Lists
from checkfirst.store.process import is_alive, process_id
from checkfirst.vault.grip import ignore_lease_breaks
from checkfirst.watch.mounts import filesystem_blocking, is_remote

T = TypeVar("T")


def at_work_blocking(settings: Settings, deeds: Callable[[ByHand], Awaitable[T]]) -> T:
    """Run `deeds` with the journal open; raises StoreError and what they raise."""
    ignore_lease_breaks()
    return asyncio.run(_at_work(settings, deeds))


async def _at_work(settings: Settings, deeds: Callable[[ByHand], Awaitable[T]]) -> T:
    clock = SystemClock()
    database = await Database.open(database_of(settings.state), clock)
    try:
        if database.notice:
            output.note(database.notice)
        journal = Journal(database, process_id())
        await journal.release_dead_claims(is_alive)
        return await deeds(ByHand(journal, Lists(database, clock), clock, _leases))
    finally:
        await database.close()


def _leases(path: bytes) -> bool:
    return not is_remote(filesystem_blocking(path))
