"""Files that were uploaded, so that no restart uploads them again and a person can see what left.

Several processes share this: an upload has ended when its analysis has, not when one of them does
not care to wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checkfirst.store import row

if TYPE_CHECKING:
    from sqlite3 import Connection

    from checkfirst.store.database import Database


@dataclass(frozen=True, slots=True)
class Submission:
    """One upload."""

    sha256: str
    analysis_id: str
    submitted_at: float
    polls: int = 0
    waited: float = 0.0
    """Seconds of the waiting in which VirusTotal answered."""
    answered_at: float | None = None
    """When a poll was last answered, by whichever process."""
    ended: bool = False
    """The analysis has come to its end, or is not believed in any more."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What left this machine, in words for a person."""

    sha256: str
    submitted_at: float
    size: int | None
    """None in old records, like the name."""
    name: bytes | None
    """The name it had here, which did not leave."""


_COLUMNS = "sha256, analysis_id, submitted_at, polls, waited, answered_at, ended"


class Submissions:
    """The last upload of each SHA-256; raises StoreError throughout."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def begin(self, sent: Sent, analysis_id: str) -> None:
        """It was uploaded, and the analysis has this id; its files say so, and none is to come.

        Those are the ones on their way and the one that came last: where nobody waits for the
        analysis, that one has mostly come to its end already.
        """
        these = f"{row.IN_STRETCHES} AND sha256 = ?2"

        def begin_blocking(connection: "Connection") -> None:
            connection.execute(
                "INSERT OR REPLACE INTO submissions"
                " (sha256, analysis_id, submitted_at, size, name) VALUES (?, ?, ?, ?, ?)",
                (sent.sha256, row.text(analysis_id), sent.submitted_at, sent.size, sent.name),
            )
            connection.execute("DELETE FROM to_submit WHERE sha256 = ?", (sent.sha256,))
            connection.execute(
                f"UPDATE arrivals SET submitted_at = ?1 WHERE {these} AND submitted_at IS NULL"  # noqa: S608
                f" AND ({row.IS_UNFINISHED} OR id = (SELECT max(id) FROM arrivals WHERE {these}))",
                (sent.submitted_at, sent.sha256),
            )

        await self._database.write(begin_blocking)

    async def answered(self, sha256: str, at: float, meant: float) -> Submission | None:
        """A poll was answered; gives what is known of the upload now.

        The time since the poll before counts as waited, up to the `meant` seconds between the two:
        whatever came between them besides (no network, no quota, a machine that slept, a clock that
        was set) was no waiting for VirusTotal.
        """
        found = await self._database.execute(
            "UPDATE submissions SET polls = polls + 1, answered_at = ?1,"  # noqa: S608  (our own words)
            " waited = waited + coalesce(max(min(?1 - answered_at, ?2), 0.0), 0.0)"
            f" WHERE sha256 = ?3 RETURNING {_COLUMNS}",
            (at, meant, sha256),
        )
        return next(map(_submission, found), None)

    async def end(self, sha256: str) -> None:
        """Nothing is awaited any more; that it was uploaded stays known."""
        await self._database.execute("UPDATE submissions SET ended = 1 WHERE sha256 = ?", (sha256,))

    async def get(self, sha256: str) -> Submission | None:
        """The upload of a file, ended or not."""
        found = await self._read("WHERE sha256 = ?", sha256)
        return found[0] if found else None

    async def awaited(self) -> list[Submission]:
        """All that have not ended, oldest first."""
        return await self._read("WHERE NOT ended ORDER BY submitted_at, sha256")

    async def prune(self, before: float) -> None:
        """Forget ended ones that were uploaded before then."""
        await self._database.execute(
            "DELETE FROM submissions WHERE ended AND submitted_at < ?", (before,)
        )

    async def _read(self, where: str, *args: object) -> list[Submission]:
        sql = f"SELECT {_COLUMNS} FROM submissions {where}"  # noqa: S608  (our own words)
        return [_submission(each) for each in await self._database.rows(sql, args)]


def _submission(row: Sequence[Any]) -> Submission:
    sha256, analysis_id, submitted_at, polls, waited, answered_at, ended = row
    return Submission(
        sha256, analysis_id, submitted_at, polls, waited, answered_at, ended=bool(ended)
    )
