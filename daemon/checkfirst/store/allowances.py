"""What VirusTotal has told of accounts: how many requests each may send."""

from typing import TYPE_CHECKING

from checkfirst.policy.quota import Limits

if TYPE_CHECKING:
    from checkfirst.store.database import Database

SELECT = "SELECT per_minute, per_day, per_month FROM allowances WHERE account = ?"
"""Takes the account's id."""


class Allowances:
    """The last word on each account; raises StoreError throughout."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def learn(self, account: str, limits: Limits, at: float) -> None:
        """VirusTotal has said so."""
        await self._database.execute(
            "INSERT OR REPLACE INTO allowances VALUES (?, ?, ?, ?, ?)",
            (account, limits.per_minute, limits.per_day, limits.per_month, at),
        )

    async def get(self, account: str) -> tuple[Limits, float] | None:
        """What was said of an account, and when."""
        found = await self._database.rows(
            "SELECT per_minute, per_day, per_month, learned_at FROM allowances WHERE account = ?",
            (account,),
        )
        return (Limits(*found[0][:3]), found[0][3]) if found else None
