"""The user's own lists as commands keep them: hashes always allowed, hashes always blocked."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from checkfirst.store import row
from checkfirst.store.listed import SELECT, Listed, ListName, listed

if TYPE_CHECKING:
    from checkfirst.clock import Clock
    from checkfirst.store.database import Database


class Lists:
    """A hash is on one list at most; raises StoreError throughout."""

    def __init__(self, database: "Database", clock: "Clock") -> None:
        self._database = database
        self._clock = clock

    async def look_up(self, hashes: Sequence[str]) -> dict[str, Listed]:
        """Those of the hashes that are on a list now."""
        found = await self._database.rows(
            f"{SELECT} WHERE hash IN (SELECT value FROM json_each(?))"  # noqa: S608
            " AND (expires_at IS NULL OR expires_at > ?)",
            (json.dumps(list(hashes)), self._clock.now()),
        )
        return {each[0]: listed(each) for each in found}

    async def add(self, *entries: Listed) -> None:
        """Put hashes on their list, and off the other one: the last word counts."""
        values = [
            (e.hash, e.list.value, e.origin.value, row.text(e.note), e.added_at, e.expires_at)
            for e in entries
        ]
        await self._database.execute_many(
            "INSERT OR REPLACE INTO listed (hash, list, origin, note, added_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            values,
        )

    async def remove(self, name: ListName, hashes: Sequence[str]) -> set[str]:
        """Take hashes off one list; which of them were on it."""
        gone = await self._database.execute(
            "DELETE FROM listed WHERE list = ? AND hash IN (SELECT value FROM json_each(?))"
            " RETURNING hash",
            (name.value, json.dumps(list(hashes))),
        )
        return {found for (found,) in gone}

    async def weak(self) -> frozenset[str]:
        """The SHA-1 and MD5 that are on the block list now."""
        found = await self._database.rows(
            "SELECT hash FROM listed WHERE length(hash) < 64"
            " AND (expires_at IS NULL OR expires_at > ?)",
            (self._clock.now(),),
        )
        return frozenset(each for (each,) in found)

    async def prune(self) -> int:
        """Forget the entries that have expired; how many."""
        gone = await self._database.execute(
            "DELETE FROM listed WHERE expires_at <= ? RETURNING 1", (self._clock.now(),)
        )
        return len(gone)

    async def all(self, name: ListName | None = None) -> list[Listed]:
        """One list or both, oldest entry first, expired ones included."""
        found = await self._database.rows(
            f"{SELECT} WHERE ? IN (list, 'both') ORDER BY added_at, hash",
            ("both" if name is None else name.value,),
        )
        return [listed(each) for each in found]
