"""The quota ledger: every request is written down before it is sent, for all processes together.

Permission and entry are one transaction, so neither several processes nor a sudden death lead to
more requests than allowed: an entry without an answer counts as answered when its time-out has
passed. Knows nothing of HTTP and of how long anybody is willing to wait.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checkfirst.policy import quota, recheck
from checkfirst.store.allowances import SELECT as TOLD
from checkfirst.store.usage import DAY, RECENT, Usage, month_of
from checkfirst.store.wall_clock import AHEAD, BOOT, follow_blocking, moved

if TYPE_CHECKING:
    from sqlite3 import Connection

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

    Setting the wall clock neither grants too many nor holds any back, whichever process sent the
    requests and whether or not it still runs.
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
        self._limits = limits
        self._account = account
        self._pace = quota.Pace(limits)
        self._answer_within = answer_within
        self._window = window

    async def acquire(self, *, spare: bool = False) -> Permit | quota.Slot:
        """Leave to send one request, or the slot to wait for. Never waits for a slot itself.

        `spare`: only if there is quota that nothing more urgent is likely to need.
        """
        given, self._pace = await self._database.write(
            lambda connection: self._acquire_blocking(connection, spare=spare)
        )
        return given

    def _acquire_blocking(
        self, connection: "Connection", *, spare: bool
    ) -> tuple[Permit | quota.Slot, quota.Pace]:
        # Only now, as another process may have held the database for long.
        now = follow_blocking(connection, self._clock, BOOT)
        self._tidy_blocking(connection, now)
        found = connection.execute(RECENT, (now - self._window,))
        day = quota.day_of(now)
        used = quota.Used(
            recent=tuple(at + self._window for _, at in found),
            day=_sum_blocking(connection, day),
            month=_sum_blocking(connection, month_of(now)),
        )
        told = connection.execute(TOLD, (self._account,)).fetchone()
        limits = quota.narrower(self._limits, quota.Limits(*told) if told else None)
        slot = (recheck.spare if spare else quota.wait)(limits, used, now)
        if not slot.granted:
            return slot, quota.Pace(limits, used, now)
        (number,) = connection.execute(
            "INSERT INTO requests (sent_at, presumed_answered_at) VALUES (?, ?) RETURNING id",
            (now, now + self._answer_within),
        ).fetchone()
        connection.execute(
            "INSERT INTO quota_days (day, used) VALUES (?, 1)"
            " ON CONFLICT (day) DO UPDATE SET used = used + 1",
            (day,),
        )
        pace = quota.Pace(limits, used.and_one(now + self._window), now)
        return Permit(number, day, now), pace

    @property
    def pace(self) -> quota.Pace:
        """How fast requests can follow each other, as of the last one that was asked for."""
        return self._pace

    async def answered(self, permit: Permit) -> None:
        """The answer has arrived, whatever it says: the slot is free again a window from now.

        Should this fail, the request goes on counting until its time-out.
        """
        arrived = self._clock.monotonic()

        def answered_blocking(connection: "Connection") -> None:
            now = follow_blocking(connection, self._clock, BOOT)
            # As it was before another process was waited out, which may have taken long.
            at = now - (self._clock.monotonic() - arrived)
            connection.execute("UPDATE requests SET answered_at = ? WHERE id = ?", (at, permit.id))

        await self._database.write(answered_blocking)

    async def goes_on(self, permit: Permit) -> None:
        """The request is still on its way: it counts for as long as if it were sent now."""

        def goes_on_blocking(connection: "Connection") -> None:
            now = follow_blocking(connection, self._clock, BOOT)
            connection.execute(
                "UPDATE requests SET presumed_answered_at = ? WHERE id = ?",
                (now + self._answer_within, permit.id),
            )

        await self._database.write(goes_on_blocking)

    async def unsent(self, permit: Permit) -> None:
        """The request provably never left (no connection was made): it counts for nothing."""

        def unsent_blocking(connection: "Connection") -> None:
            if connection.execute("DELETE FROM requests WHERE id = ?", (permit.id,)).rowcount:
                connection.execute(
                    "UPDATE quota_days SET used = used - 1 WHERE day = ? AND used > 0",
                    (permit.day,),
                )

        await self._database.write(unsent_blocking)

    async def used(self) -> Usage:
        """What counts now."""
        now = self._clock.now()
        ahead = await self._database.rows(AHEAD)
        then = now - moved(ahead, BOOT, now - self._clock.monotonic())
        found = await self._database.rows(RECENT, (then - self._window,))
        day = await self._database.rows(DAY, (quota.day_of(now),))
        month = await self._database.rows(DAY, (month_of(now),))
        return Usage(len(found), day[0][0], month[0][0])

    def _tidy_blocking(self, connection: "Connection", now: float) -> None:
        """Drop what no longer counts, and mend what a clock that was set back left in the future.

        No answer arrives in the future, and no time-out is ten minutes long.
        """
        connection.execute(
            "UPDATE requests SET answered_at = min(answered_at, ?),"
            " presumed_answered_at = min(presumed_answered_at, ?)"
            " WHERE answered_at > ? OR presumed_answered_at > ?",
            (now, now + self._answer_within, now, now + _KEPT_SECONDS + self._answer_within),
        )
        connection.execute(
            "DELETE FROM requests WHERE coalesce(answered_at, presumed_answered_at) < ?",
            (now - _KEPT_SECONDS,),
        )


def _sum_blocking(connection: "Connection", days: str) -> int:
    (total,) = connection.execute(DAY, (days,)).fetchone()
    return int(total)
