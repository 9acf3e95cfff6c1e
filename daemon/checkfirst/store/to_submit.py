"""Uploads that are to come or under way, so that no two processes send one and none is lost.

Whoever sends a file claims it first; a claim falls with its process. An upload for whose answer a
file waits needs no more than that, as the file asks again. One is *owed* when its files are decided
on already.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checkfirst.model import Risk
from checkfirst.store.process import is_alive

if TYPE_CHECKING:
    from checkfirst.store.database import Database


@dataclass(frozen=True, slots=True)
class Intent:
    """An upload that is to come."""

    sha256: str
    size: int
    risk: Risk
    name: bytes
    """The name it has here, which does not leave."""
    since: float
    """Its place among what waits; seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What an earlier life of the daemon has left undone."""

    intent: Intent
    begun: bool
    """Bytes had begun to leave, and nobody heard how it ended."""


_COLUMNS = "sha256, size, risk, name, since"
_INSERT = f"INSERT INTO to_submit ({_COLUMNS}, claim, owed) SELECT ?, ?, ?, ?, ?, ?, ?"


class ToSubmit:
    """The intents as one process sees them; raises StoreError throughout."""

    def __init__(
        self, database: "Database", process: str, alive: Callable[[str], bool] = is_alive
    ) -> None:
        """`process` is what `store.process.process_id` says. `alive` is called in a thread."""
        self._database = database
        self._process = process
        self._alive = alive

    async def owe(self, intent: Intent) -> None:
        """From now on a restart finds it, until it was uploaded or is waived."""
        async with self._database.writing() as connection:
            await connection.execute_fetchall(
                f"{_INSERT} WHERE true ON CONFLICT (sha256) DO UPDATE SET owed = 1",
                (*_values(intent), None, 1),
            )

    async def claim(self, intent: Intent, since: float) -> bool:
        """Whether it is ours to send: nobody alive sends it, and nobody has uploaded it `since`."""
        others = await self._database.rows(
            "SELECT claim FROM to_submit WHERE sha256 = ? AND claim <> ?",
            (intent.sha256, self._process),
        )
        dead = [claim for (claim,) in others if not await asyncio.to_thread(self._alive, claim)]
        async with self._database.writing() as connection:
            taken = await connection.execute_fetchall(
                f"{_INSERT} WHERE NOT EXISTS"  # noqa: S608  (our own words)
                " (SELECT 1 FROM submissions WHERE sha256 = ? AND submitted_at > ?)"
                " ON CONFLICT (sha256) DO UPDATE SET claim = excluded.claim"
                " WHERE claim IS NULL OR claim IN (excluded.claim, ?) RETURNING 1",
                (*_values(intent), self._process, 0, intent.sha256, since, *(dead or [None])),
            )
        return bool(taken)

    async def unclaim(self, sha256: str) -> None:
        """We do not send it now, and nothing of it has arrived."""
        async with self._database.writing() as connection:
            await connection.execute_fetchall(
                "UPDATE to_submit SET claim = NULL WHERE sha256 = ? AND claim = ?",
                (sha256, self._process),
            )
            await connection.execute_fetchall(
                "DELETE FROM to_submit WHERE sha256 = ? AND claim IS NULL AND NOT owed", (sha256,)
            )

    async def waive(self, sha256: str) -> None:
        """It is not owed any more."""
        async with self._database.writing() as connection:
            await connection.execute_fetchall(
                "UPDATE to_submit SET owed = 0 WHERE sha256 = ?", (sha256,)
            )
            await connection.execute_fetchall(
                "DELETE FROM to_submit WHERE sha256 = ? AND (claim IS NULL OR claim = ?)",
                (sha256, self._process),
            )

    async def left_undone(self) -> list[Owed]:
        """All that is owed, oldest first; to be asked before this process sends anything.

        Claims that are ours are of an earlier life then. What the dead claimed and is not owed is
        forgotten.
        """
        found = await self._database.rows(
            f"SELECT {_COLUMNS}, claim, owed FROM to_submit ORDER BY since, sha256"  # noqa: S608
        )
        claims = {claim for *_, claim, _ in found if claim is not None}
        over = {claim for claim in claims if await self._is_over(claim)}
        if lost := [(each[0], each[-2]) for each in found if each[-2] in over and not each[-1]]:
            async with self._database.writing() as connection:
                await connection.executemany(
                    "DELETE FROM to_submit WHERE sha256 = ? AND claim = ? AND NOT owed", lost
                )
        return [
            Owed(Intent(sha256, size, Risk(risk), name, since), claim in over)
            for sha256, size, risk, name, since, claim, owed in found
            if owed
        ]

    async def _is_over(self, claim: str) -> bool:
        return claim == self._process or not await asyncio.to_thread(self._alive, claim)


def _values(intent: Intent) -> tuple[object, ...]:
    return (intent.sha256, intent.size, intent.risk.value, intent.name, intent.since)
