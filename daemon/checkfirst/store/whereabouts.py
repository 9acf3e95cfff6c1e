"""Where the files with certain bytes are, as far as the journal knows."""

from typing import TYPE_CHECKING

from checkfirst.model import Arrival
from checkfirst.store import row

if TYPE_CHECKING:
    from checkfirst.store.database import Database


async def whereabouts(database: "Database", sha256: str) -> list[Arrival]:
    """All that is on this machine still, the newest first. Raises StoreError."""
    found = await database.rows(
        f"{row.SELECT} WHERE {row.IN_STRETCHES} AND sha256 = ?"
        " AND state NOT IN ('deleted', 'gone', 'left') ORDER BY +id DESC",
        (sha256,),
    )
    return [row.arrival(each) for each in found]
