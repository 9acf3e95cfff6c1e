"""Files that were uploaded and whose analysis is awaited, so that no restart uploads them again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checkfirst.store import row

if TYPE_CHECKING:
    from checkfirst.store.database import Database


@dataclass(frozen=True, slots=True)
class Submission:
    """One upload."""

    sha256: str
    analysis_id: str
    submitted_at: float
    polls: int = 0
    first_answered_at: float | None = None
    """When a poll was first answered: the waiting time counts from here."""
    ended: bool = False


_SELECT = (
    "SELECT sha256, analysis_id, submitted_at, polls, first_answered_at, ended FROM submissions"
)


class Submissions:
    """The last upload of each SHA-256; raises StoreError throughout."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def begin(self, sha256: str, analysis_id: str, at: float) -> None:
        """It was uploaded, and the analysis has this id."""
        async with self._database.writing() as connection:
            await connection.execute_fetchall(
                "INSERT OR REPLACE INTO submissions (sha256, analysis_id, submitted_at)"
                " VALUES (?, ?, ?)",
                (sha256, row.text(analysis_id), at),
            )

    async def answered(self, sha256: str, at: float) -> None:
        """A poll was answered, and the analysis goes on."""
        async with self._database.writing() as connection:
            await connection.execute_fetchall(
                "UPDATE submissions SET polls = polls + 1,"
                " first_answered_at = coalesce(first_answered_at, ?) WHERE sha256 = ?",
                (at, sha256),
            )

    async def end(self, sha256: str) -> None:
        """Nothing is awaited any more; that it was uploaded stays known."""
        async with self._database.writing() as connection:
            await connection.execute_fetchall(
                "UPDATE submissions SET ended = 1 WHERE sha256 = ?", (sha256,)
            )

    async def get(self, sha256: str) -> Submission | None:
        """The upload of a file, ended or not."""
        found = await self._read(f"{_SELECT} WHERE sha256 = ?", sha256)
        return found[0] if found else None

    async def awaited(self) -> list[Submission]:
        """All that have not ended, oldest first."""
        return await self._read(f"{_SELECT} WHERE NOT ended ORDER BY submitted_at, sha256")

    async def prune(self, before: float) -> None:
        """Forget ended ones that were uploaded before then."""
        async with self._database.writing() as connection:
            await connection.execute_fetchall(
                "DELETE FROM submissions WHERE ended AND submitted_at < ?", (before,)
            )

    async def _read(self, sql: str, *args: object) -> list[Submission]:
        found = await self._database.rows(sql, args)
        return [
            Submission(sha256, analysis_id, submitted_at, polls, first_answered_at, bool(ended))
            for sha256, analysis_id, submitted_at, polls, first_answered_at, ended in found
        ]
