"""The quota ledger: every request is written down before it is sent, for all processes together.

Permission and entry are one transaction, so neither several processes nor a sudden death lead to
more requests than allowed: an entry without an answer counts as answered when its time-out has
passed. Knows nothing of HTTP and of how long anybody is willing to wait.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checkfirst.policy import quota, recheck
from checkfirst.store.allowances import SELECT as TOLD
from checkfirst.store.usage import DAY, RECENT, Usage, month_of

if TYPE_CHECKING:
    import aiosqlite

    from checkfirst.clock import Clock
    from checkfirst.store.database import Database

_KEPT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to send one request, now."""

    id: int
    day: str
    """The UTC day it counts for."""
    granted_at: float
    """Its time-out runs from here: no answer is believed possible `answer_within` later."""


class Ledger:
    """Raises StoreError throughout.

    Requests of this process are also timed by the monotonic clock, so that setting the wall clock
    neither grants too many nor holds any back; other processes' entries have wall-clock times only.
    """

    def __init__(
        self,
        database: "Database",
        clock: "Clock",
        limits: quota.Limits,
        answer_within: float,
        window: float = quota.WINDOW,
        account: str | None = None,
    ) -> None:
        """`answer_within`: seconds from the grant until a request is answered or given up.

        What is known of the `account` narrows the `limits`, from the moment it is known.
        """
        self._database = database
        self._clock = clock
        self._limits = self._narrowed = limits
        self._account = account
        self._answer_within = answer_within
        self._window = window
        self._free_again: dict[int, float] = {}
        """Of our own requests, on the monotonic clock."""

    async def acquire(self, *, spare: bool = False) -> Permit | quota.Slot:
        """Leave to send one request, or the slot to wait for. Never waits for a slot itself.

        `spare`: only if there is quota that nothing more urgent is likely to need.
        """
        async with self._database.writing() as connection:
            # Only now, as another process may have held the database for long.
            now = self._clock.now()
            await self._tidy(connection, now)
            found = await connection.execute_fetchall(RECENT, (now - self._window,))
            day = quota.day_of(now)
            used = quota.Used(
                recent=self._recent(found, now),
                day=await _sum(connection, day),
                month=await _sum(connection, month_of(now)),
            )
            told = await connection.execute_fetchall(TOLD, (self._account,))
            self._narrowed = quota.narrower(
                self._limits, next((quota.Limits(*each) for each in told), None)
            )
            slot = (recheck.spare if spare else quota.wait)(self._narrowed, used, now)
            if not slot.granted:
                return slot
            inserted = await connection.execute_fetchall(
                "INSERT INTO requests (sent_at, presumed_answered_at) VALUES (?, ?) RETURNING id",
                (now, now + self._answer_within),
            )
            await connection.execute_fetchall(
                "INSERT INTO quota_days (day, used) VALUES (?, 1)"
                " ON CONFLICT (day) DO UPDATE SET used = used + 1",
                (day,),
            )
            permit = Permit(next(iter(inserted))[0], day, now)
            self._free_again[permit.id] = (
                self._clock.monotonic() + self._answer_within + self._window
            )
        return permit

    @property
    def per_minute(self) -> int:
        """The limit that was last gone by; 0 is none."""
        return self._narrowed.per_minute

    async def answered(self, permit: Permit) -> None:
        """The answer has arrived, whatever it says: the slot is free again a window from now.

        Should this fail, the request goes on counting until its time-out.
        """
        self._free_again[permit.id] = self._clock.monotonic() + self._window
        now = self._clock.now()
        async with self._database.writing() as connection:
            await connection.execute_fetchall(
                "UPDATE requests SET answered_at = ? WHERE id = ?", (now, permit.id)
            )

    async def unsent(self, permit: Permit) -> None:
        """The request provably never left (no connection was made): it counts for nothing."""
        async with self._database.writing() as connection:
            removed = await connection.execute_fetchall(
                "DELETE FROM requests WHERE id = ? RETURNING 1", (permit.id,)
            )
            if list(removed):
                await connection.execute_fetchall(
                    "UPDATE quota_days SET used = used - 1 WHERE day = ? AND used > 0",
                    (permit.day,),
                )
        self._free_again.pop(permit.id, None)

    async def used(self) -> Usage:
        """What counts now."""
        now = self._clock.now()
        found = await self._database.rows(RECENT, (now - self._window,))
        day = await self._database.rows(DAY, (quota.day_of(now),))
        month = await self._database.rows(DAY, (month_of(now),))
        recent = self._recent(found, now)
        return Usage(sum(moment > now for moment in recent), day[0][0], month[0][0])

    async def _tidy(self, connection: "aiosqlite.Connection", now: float) -> None:
        """Drop what no longer counts, and mend what a clock that was set back left in the future.

        No answer arrives in the future, and no time-out is ten minutes long.
        """
        await connection.execute_fetchall(
            "UPDATE requests SET answered_at = min(answered_at, ?),"
            " presumed_answered_at = min(presumed_answered_at, ?)"
            " WHERE answered_at > ? OR presumed_answered_at > ?",
            (now, now + self._answer_within, now, now + _KEPT_SECONDS + self._answer_within),
        )
        await connection.execute_fetchall(
            "DELETE FROM requests WHERE coalesce(answered_at, presumed_answered_at) < ?",
            (now - _KEPT_SECONDS,),
        )

    def _recent(self, found: Iterable[Sequence[Any]], now: float) -> tuple[float, ...]:
        """When each request stops counting: ours on the monotonic clock, others' on the wall's."""
        monotonic = self._clock.monotonic()
        # Kept as long as their rows are: else these would count again once the wall clock is back.
        self._free_again = {
            number: free
            for number, free in self._free_again.items()
            if free > monotonic - _KEPT_SECONDS - self._window
        }
        others = [at + self._window for number, at in found if number not in self._free_again]
        ours = [now + (free - monotonic) for free in self._free_again.values()]
        return (*others, *ours)


async def _sum(connection: "aiosqlite.Connection", days: str) -> int:
    found = await connection.execute_fetchall(DAY, (days,))
    total: int = next(iter(found))[0]
    return total
