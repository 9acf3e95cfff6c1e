"""What a person asked the daemon to bring in, kept until the daemon has seen to it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checkfirst.store.database import Database


class Wanted:
    """Absolute paths, each once; raises StoreError throughout."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def ask(self, paths: Sequence[bytes], at: float) -> None:
        """Ask for files; asking twice is asking once."""
        await self._database.execute_many(
            "INSERT OR REPLACE INTO wanted (path, asked_at) VALUES (?, ?)",
            [(path, at) for path in paths],
        )

    async def all(self) -> list[bytes]:
        """What is asked for, in the order of asking."""
        found = await self._database.rows("SELECT path FROM wanted ORDER BY asked_at, path")
        return [path for (path,) in found]

    async def done(self, paths: Sequence[bytes]) -> None:
        """They were seen to."""
        await self._database.execute_many(
            "DELETE FROM wanted WHERE path = ?", [(path,) for path in paths]
        )
