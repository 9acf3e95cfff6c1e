"""Uploads that are to come or under way, so that no two processes send one and none is lost.

Whoever sends a file claims it first; a claim falls with its process. From the claim on an upload
has *begun*: unless somebody hears how it ended, VirusTotal may have got the file. One for whose
answer a file waits is found again by that file, which asks anew; one is *owed* when its files are
decided on already.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from checkfirst.model import Risk
from checkfirst.store import row
from checkfirst.store.process import is_alive

if TYPE_CHECKING:
    from sqlite3 import Connection

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


class Claim(StrEnum):
    """What a claim comes to."""

    OURS = "ours"
    """Nobody else sends it now."""
    THEIRS = "theirs"
    """Another process sends it, or it was uploaded lately."""
    CUT_OFF = "cut-off"
    """It had begun, and nobody heard how it ended; it is claimed by nobody."""


_COLUMNS = "sha256, size, risk, name, since"
_INSERT = (
    "INSERT INTO to_submit (sha256, size, risk, name, since, claim, owed, begun)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_HAS_FILE = f"SELECT 1 FROM arrivals WHERE sha256 = to_submit.sha256 AND {row.IS_WAITING}"  # noqa: S608  (our own words)
_IS_NEEDLESS = f"NOT owed AND claim IS NULL AND NOT EXISTS ({_HAS_FILE})"


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
        await self._database.execute(
            f"{_INSERT} ON CONFLICT (sha256) DO UPDATE SET owed = 1",
            (*_values(intent), None, 1, 0),
        )

    async def claim(self, intent: Intent, since: float, *, anew: bool) -> Claim:
        """Make it ours to send, unless somebody alive sends it or has uploaded it `since`.

        One that was cut off is claimed only `anew`: by whoever knows that it has not arrived.
        """
        claims = await self._database.rows(
            "SELECT claim FROM to_submit WHERE sha256 = ? AND claim <> ?",
            (intent.sha256, self._process),
        )
        over = {None, self._process, *await self._dead([claim for (claim,) in claims])}

        def claim_blocking(connection: "Connection") -> Claim:
            uploaded = connection.execute(
                "SELECT 1 FROM submissions WHERE sha256 = ? AND submitted_at > ?",
                (intent.sha256, since),
            ).fetchall()
            found = connection.execute(
                "SELECT claim, begun FROM to_submit WHERE sha256 = ?", (intent.sha256,)
            ).fetchall()
            if uploaded or any(claim not in over for claim, _ in found):
                return Claim.THEIRS
            if not anew and any(begun for _, begun in found):
                connection.execute(
                    "UPDATE to_submit SET claim = NULL WHERE sha256 = ?", (intent.sha256,)
                )
                return Claim.CUT_OFF
            connection.execute(
                f"{_INSERT} ON CONFLICT (sha256) DO UPDATE SET claim = excluded.claim, begun = 1",
                (*_values(intent), self._process, 0, 1),
            )
            return Claim.OURS

        return await self._database.write(claim_blocking)

    async def cut_off(self, sha256: str) -> None:
        """We do not send it now, and all of it may have arrived."""
        await self._database.execute(
            "UPDATE to_submit SET claim = NULL WHERE sha256 = ? AND claim = ?",
            (sha256, self._process),
        )

    async def interrupted(self, sha256: str) -> Intent | None:
        """One that had begun, of which nobody has heard how it ended, and that nobody sends now."""
        found = await self._database.rows(
            f"SELECT {_COLUMNS} FROM to_submit WHERE sha256 = ? AND begun"  # noqa: S608
            " AND (claim IS NULL OR claim = ?)",
            (sha256, self._process),
        )
        return next(map(_intent, found), None)

    async def unclaim(self, sha256: str) -> None:
        """We do not send it now, and it has not arrived."""

        def unclaim_blocking(connection: "Connection") -> None:
            connection.execute(
                "UPDATE to_submit SET claim = NULL, begun = 0 WHERE sha256 = ? AND claim = ?",
                (sha256, self._process),
            )
            connection.execute(
                "DELETE FROM to_submit WHERE sha256 = ? AND claim IS NULL AND NOT owed"
                " AND NOT begun",
                (sha256,),
            )

        await self._database.write(unclaim_blocking)

    async def waive(self, sha256: str) -> None:
        """It is not owed any more."""

        def waive_blocking(connection: "Connection") -> None:
            connection.execute("UPDATE to_submit SET owed = 0 WHERE sha256 = ?", (sha256,))
            connection.execute(
                "DELETE FROM to_submit WHERE sha256 = ? AND (claim IS NULL OR claim = ?)",
                (sha256, self._process),
            )

        await self._database.write(waive_blocking)

    async def left_undone(self) -> list[Intent]:
        """All that is owed, oldest first; to be asked before this process sends anything.

        Claims that are ours are of an earlier life then; they fall with those of the dead. What is
        neither owed nor under way, and what no file waits for, is forgotten.
        """
        found = await self._database.rows("SELECT claim FROM to_submit WHERE claim IS NOT NULL")
        over = {self._process, *await self._dead([claim for (claim,) in found])}

        def tidy_blocking(connection: "Connection") -> None:
            connection.executemany(
                "UPDATE to_submit SET claim = NULL WHERE claim = ?", [(claim,) for claim in over]
            )
            connection.execute(f"DELETE FROM to_submit WHERE {_IS_NEEDLESS}")  # noqa: S608  (our own words)

        await self._database.write(tidy_blocking)
        owed = await self._database.rows(
            f"SELECT {_COLUMNS} FROM to_submit WHERE owed ORDER BY since, sha256"  # noqa: S608
        )
        return [_intent(each) for each in owed]

    async def _dead(self, claims: Iterable[str]) -> list[str]:
        return [claim for claim in set(claims) if not await asyncio.to_thread(self._alive, claim)]


def _intent(row: Sequence[Any]) -> Intent:
    sha256, size, risk, name, since = row
    return Intent(sha256, size, Risk(risk), name, since)


def _values(intent: Intent) -> tuple[object, ...]:
    return (intent.sha256, intent.size, intent.risk.value, intent.name, intent.since)
