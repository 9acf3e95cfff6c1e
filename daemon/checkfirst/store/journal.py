"""The journal: where each arrival is and what is to happen to it next.

Every step is a compare-and-set on the row's state and claim, so that commands can work beside a
running daemon. Made for batches: a call is one transaction and one thread hop, however many rows it
changes. Knows no files: what a step means is the caller's.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from checkfirst.model import OPEN_STATES, Arrival, State
from checkfirst.store import arrivals, row
from checkfirst.store.step import NewArrival, Step

if TYPE_CHECKING:
    from sqlite3 import Connection

    from checkfirst.store.database import Database


class Journal:
    """The journal as one process sees it; raises StoreError throughout."""

    def __init__(self, database: "Database", process: str) -> None:
        """`process` is what `store.process.process_id` says: the name on our claims."""
        self._database = database
        self._process = process

    async def begin(self, intents: Sequence[NewArrival]) -> list[int]:
        """New rows, claimed by us unless `LEFT`, in the order given. Durable when this returns."""
        return (await self.set_out(intents, ()))[0]

    async def set_out(
        self, intents: Sequence[NewArrival], steps: Sequence[Step]
    ) -> tuple[list[int], set[int]]:
        """`begin` and `advance` as one: either all of it is in the journal, or none."""
        self._are_single(steps)

        def set_out_blocking(connection: "Connection") -> tuple[list[int], set[int]]:
            first = arrivals.next_id_blocking(connection)
            ids = list(range(first, first + len(intents)))
            rows = [
                (
                    number,
                    intent.state,
                    self._claim(intent.state, keep=intent.state in OPEN_STATES),
                    intent.facts(),
                )
                for number, intent in zip(ids, intents, strict=True)
            ]
            arrivals.insert_blocking(connection, rows)
            return ids, self._advance_blocking(connection, steps)

        return await self._database.write(set_out_blocking)

    async def advance(self, steps: Sequence[Step]) -> set[int]:
        """Take all steps in one transaction; the ids of those that took.

        A step takes when its row is in one of the states before and claimed by nobody or by us. One
        that does not take changes nothing and does not stop the others. At most one step per row.
        """
        if not steps:
            return set()
        self._are_single(steps)
        return await self._database.write(lambda c: self._advance_blocking(c, steps))

    def _advance_blocking(self, connection: "Connection", steps: Sequence[Step]) -> set[int]:
        if not steps:
            return set()
        wanted = {step.id: step for step in steps}
        found = connection.execute(
            f"SELECT id, state, claim FROM arrivals WHERE id IN {row.GIVEN}",  # noqa: S608
            (json.dumps(list(wanted)),),
        )
        taken = {
            number: state
            for number, state, claim in found
            if state in wanted[number].before and claim in (None, self._process)
        }
        # Nothing can come between looking and writing: the transaction began as a writer.
        arrivals.update_blocking(
            connection,
            [
                (
                    number,
                    before,
                    wanted[number].after,
                    self._claim(wanted[number].after, keep=wanted[number].keep),
                    wanted[number].facts,
                )
                for number, before in taken.items()
            ],
        )
        return set(taken)

    @staticmethod
    def _are_single(steps: Sequence[Step]) -> None:
        if len({step.id for step in steps}) != len(steps):
            raise ValueError("two steps for one row in one call")

    def _claim(self, state: State, *, keep: bool) -> str | None:
        return self._process if keep and state in row.UNFINISHED else None

    async def claim(self, ids: Sequence[int], *, ours: bool = False) -> list[Arrival]:
        """Claim those unfinished rows that nobody holds, and return them as they are.

        `ours`: those that we hold already are among them.
        """
        free = "claim IS NULL OR claim = ?" if ours else "claim IS NULL AND ? <> ''"

        def claim_blocking(connection: "Connection") -> list[Arrival]:
            found = connection.execute(
                f"{row.SELECT} WHERE id IN {row.GIVEN} AND ({free}) AND {row.IS_UNFINISHED}",
                (json.dumps(list(ids)), self._process),
            )
            claimed = [row.arrival(each) for each in found]
            connection.execute(
                f"UPDATE arrivals SET claim = ? WHERE id IN {row.GIVEN}",  # noqa: S608
                (self._process, json.dumps([each.id for each in claimed])),
            )
            return claimed

        return await self._database.write(claim_blocking)

    async def unclaim(self, ids: Sequence[int]) -> None:
        """Let others have rows that we hold."""
        await self._database.execute(
            f"UPDATE arrivals SET claim = NULL WHERE id IN {row.GIVEN} AND claim = ?",  # noqa: S608
            (json.dumps(list(ids)), self._process),
        )

    async def release_dead_claims(self, alive: Callable[[str], bool]) -> list[int]:
        """Free the rows of processes that are no more; which. `alive` is called in a thread."""
        claimed = f"claim IS NOT NULL AND {row.IS_UNFINISHED}"
        found = await self._database.rows(f"SELECT DISTINCT claim FROM arrivals WHERE {claimed}")  # noqa: S608
        claims = [claim for (claim,) in found]
        dead = await asyncio.to_thread(lambda: [claim for claim in claims if not alive(claim)])
        if not dead:
            return []
        freed = await self._database.execute(
            f"UPDATE arrivals SET claim = NULL WHERE {claimed}"  # noqa: S608
            f" AND claim IN {row.GIVEN} RETURNING id",
            (json.dumps(dead),),
        )
        return [number for (number,) in freed]

    async def waiting_for(self, sha256s: Sequence[str]) -> list[Arrival]:
        """The held and waiting rows of these hashes, whoever has claimed them."""
        return await self._arrivals(
            f"{row.SELECT} WHERE sha256 IN {row.GIVEN} AND {row.IS_WAITING} ORDER BY +id",
            (json.dumps(list(sha256s)),),
        )

    async def waiting(self) -> list[Arrival]:
        """All held and waiting rows, oldest first."""
        return await self._arrivals(f"{row.SELECT} WHERE {row.IS_WAITING} ORDER BY +id")

    async def waiting_and_listed(self, now: float) -> list[Arrival]:
        """The held and waiting rows whose hash is on a list of the database, oldest first."""
        return await self._arrivals(
            f"{row.SELECT} WHERE {row.IS_WAITING} AND EXISTS"  # noqa: S608
            " (SELECT 1 FROM listed WHERE listed.hash = arrivals.sha256"
            " AND (expires_at IS NULL OR expires_at > ?)) ORDER BY +id",
            (now,),
        )

    async def open_rows(self) -> list[Arrival]:
        """All rows with something still to do, those that were left included; oldest first."""
        return await self._arrivals(f"{row.SELECT} WHERE {row.IS_UNFINISHED} ORDER BY +id")

    async def held_since(self, moment: float) -> list[Arrival]:
        """Rows that have been held or waiting since before that moment, oldest first."""
        return await self._arrivals(
            f"{row.SELECT} WHERE {row.IS_WAITING} AND held_at < ? ORDER BY +id LIMIT 1000",
            (moment,),
        )

    async def destinations(self, places: Sequence[bytes]) -> set[bytes]:
        """Those of the places that some row of a quarantined file names as its own."""
        rows = await self._database.rows(
            "SELECT destination FROM arrivals WHERE shelf IN ('open', 'quarantined')"
            " AND state IN ('quarantined', 'quarantining', 'restoring', 'deleting')"
        )
        return set(places) & {destination for (destination,) in rows}

    async def given_out(self, sha256s: Sequence[str]) -> set[bytes]:
        """Where files of these hashes went that were released or restored."""
        rows = await self._database.rows(
            f"SELECT destination FROM arrivals WHERE {row.IN_STRETCHES}"  # noqa: S608
            f" AND sha256 IN {row.GIVEN} AND state IN ('released', 'restored')"
            " AND destination IS NOT NULL",
            (json.dumps(list(sha256s)),),
        )
        return {destination for (destination,) in rows}

    async def get(self, number: int) -> Arrival | None:
        """One row."""
        found = await self.several([number])
        return found[0] if found else None

    async def several(self, ids: Sequence[int]) -> list[Arrival]:
        """Those of the rows that there are, oldest first."""
        sql = f"{row.SELECT} WHERE id IN {row.GIVEN} ORDER BY +id"
        return await self._arrivals(sql, (json.dumps(list(ids)),))

    async def counts(self) -> dict[State, int]:
        """How many rows are in each state; a state with none is left out."""
        found = await self._database.rows("SELECT state, rows FROM counts WHERE rows > 0")
        return {State(state): rows for state, rows in found}

    async def adopt(self, found: Sequence[Arrival]) -> list[int]:
        """Rows for files that were found on disk without one; their ids, in the order given.

        An id other than 0 is kept while it is free, else a new one is given. Nobody's claim.
        """

        def adopt_blocking(connection: "Connection") -> list[int]:
            asked = [each.id for each in found if each.id > 0]
            taken = arrivals.existing_blocking(connection, asked)
            following = max(
                [arrivals.next_id_blocking(connection), *(number + 1 for number in asked)]
            )
            ids = []
            for each in found:
                number = each.id
                if number <= 0 or number in taken:
                    number, following = following, following + 1
                taken.add(number)
                ids.append(number)
            rows = [
                (number, each.state, None, {name: getattr(each, name) for name in _FACTS})
                for number, each in zip(ids, found, strict=True)
            ]
            arrivals.insert_blocking(connection, rows)
            return ids

        return await self._database.write(adopt_blocking)

    async def quarantined_before(self, moment: float, at_most: int = 1000) -> list[Arrival]:
        """Files that have lain in the quarantine since before then, oldest first.

        One of which nobody knows since when does not count.
        """
        return await self._arrivals(
            f"{row.SELECT} WHERE shelf = 'quarantined' AND state = 'quarantined'"
            " AND coalesce(finished_at, decided_at, arrived_at) < ? ORDER BY +id LIMIT ?",
            (moment, at_most),
        )

    async def prune(self, before: float, at_most: int = 1000) -> int:
        """Forget the oldest rows that arrived before then and ended outside the quarantine."""
        found = await self._database.rows(
            f"SELECT id FROM arrivals WHERE arrived_at < ? AND {row.IS_ENDED} ORDER BY id LIMIT ?",  # noqa: S608
            (before, at_most),
        )
        if found:
            ids = [number for (number,) in found]
            await self._database.write(lambda c: arrivals.delete_blocking(c, ids))
        return len(found)

    async def _arrivals(self, sql: str, args: Sequence[object] = ()) -> list[Arrival]:
        return [row.arrival(each) for each in await self._database.rows(sql, args)]


_FACTS = row.COLUMNS[2:]
"""All but id and state."""
