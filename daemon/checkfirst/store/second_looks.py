"""Promises to ask again about files that were let go, or stopped, on weak grounds.

A promise is made for a SHA-256, however many files have it, and is kept here so that no restart
forgets it. It is drawn from the rows of files that have come to their end, by looking, and not told
by whoever ended them: nothing can come between. What an answer leads to is not known here.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checkfirst.model import Arrival, Verdict, VerdictKind
from checkfirst.policy.names import show
from checkfirst.store import answer, row

if TYPE_CHECKING:
    from checkfirst.store.database import Database


@dataclass(frozen=True, slots=True)
class Promise:
    """One hash to be asked about again."""

    sha256: str
    due_at: float
    size: int


@dataclass(frozen=True, slots=True)
class Looks:
    """What the second look has done about one hash, or is to do about all of them."""

    number: int
    """Hashes that are looked at again."""
    next_at: float | None
    """When the next of them is; None when no look follows."""
    last_at: float | None = None
    """When VirusTotal was last asked again."""
    said: VerdictKind | None = None
    """What it said, as far as it has been acted on."""


@dataclass(frozen=True, slots=True)
class News:
    """An answer that differs from what has been acted on."""

    sha256: str
    said: VerdictKind
    verdict: Verdict
    answered_at: float


_REMOTE = "source NOT IN ('lists', 'known-good')"
"""What a person let go by hand or by a list is that person's business."""

_FRESH = f"""
SELECT sha256, verdict, max(finished_at) AS ended_at FROM (
    SELECT sha256, verdict, finished_at FROM arrivals
    WHERE verdict = 'unknown' AND state IN ('released', 'restored', 'quarantined')
    AND finished_at > :since AND {_REMOTE}
    UNION ALL
    SELECT a.sha256, a.verdict, a.finished_at
    FROM verdicts v CROSS JOIN arrivals a ON {row.IN_STRETCHES} AND a.sha256 = v.sha256
    WHERE v.first_seen_at > :since - :span AND v.first_seen_at > a.finished_at - :span
    AND a.verdict = 'clean' AND a.state IN ('released', 'restored')
    AND a.finished_at > :since AND a.{_REMOTE}
) AS weak
WHERE NOT EXISTS (
    SELECT 1 FROM second_looks s WHERE s.sha256 = weak.sha256 AND s.ended_at >= weak.finished_at
)
GROUP BY sha256
"""  # noqa: S608  (our own words)


class SecondLooks:
    """All promises; raises StoreError throughout."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def enrol(self, now: float, span: float, every: float) -> None:
        """Promise a look, `every` seconds after its end, at each file that deserves one.

        That is what was unknown when it was let go or stopped, and what was let go while VirusTotal
        had first seen it less than `span` before; files that ended longer than `span` ago are past.
        """
        given = {"since": now - span, "span": span, "every": every}
        if not await self._database.rows(f"{_FRESH} LIMIT 1", given):
            return
        await self._database.execute(
            "INSERT INTO second_looks (sha256, said, ended_at, due_at)"  # noqa: S608
            f" SELECT sha256, verdict, ended_at, ended_at + :every FROM ({_FRESH}) WHERE true"
            " ON CONFLICT (sha256) DO UPDATE SET said = excluded.said,"
            " ended_at = excluded.ended_at, due_at = coalesce(due_at, excluded.due_at)",
            given,
        )

    async def no_later_than(self, moment: float) -> None:
        """Bring those forward that an earlier setting put off for longer."""
        if await self._database.rows("SELECT 1 FROM second_looks WHERE due_at > ?", (moment,)):
            await self._database.execute(
                "UPDATE second_looks SET due_at = ? WHERE due_at > ?", (moment, moment)
            )

    async def prune(self) -> None:
        """Forget those that are over and whose files are not in the journal any more."""
        over = (
            "due_at IS NULL AND trouble IS NULL AND NOT EXISTS (SELECT 1 FROM arrivals a"  # noqa: S608
            f" WHERE {row.IN_STRETCHES} AND a.sha256 = second_looks.sha256)"
        )
        if await self._database.rows(f"SELECT 1 FROM second_looks WHERE {over} LIMIT 1"):  # noqa: S608
            await self._database.execute(f"DELETE FROM second_looks WHERE {over}")  # noqa: S608

    async def due(self, now: float, limit: int) -> list[Promise]:
        """Those whose time has come, the oldest promise first."""
        found = await self._database.rows(
            "SELECT sha256, due_at,"  # noqa: S608
            f" (SELECT max(size) FROM arrivals a WHERE {row.IN_STRETCHES} AND a.sha256 = s.sha256)"
            " FROM second_looks s WHERE due_at <= ? ORDER BY due_at, sha256 LIMIT ?",
            (now, limit),
        )
        return [Promise(sha256, due_at, int(size or 0)) for sha256, due_at, size in found]

    async def next_due(self) -> float | None:
        """When the next one is due."""
        found = await self._database.rows(
            "SELECT min(due_at) FROM second_looks WHERE due_at IS NOT NULL"
        )
        moment: float | None = found[0][0]
        return moment

    async def news(self) -> list[News]:
        """Answers, from whomever they were asked for, that differ from what has been acted on."""
        columns = ", ".join(f"v.{name}" for name in answer.COLUMNS)
        found = await self._database.rows(
            f"SELECT s.said, {columns} FROM second_looks s CROSS JOIN verdicts v"  # noqa: S608
            " ON v.sha256 = s.sha256 WHERE s.due_at IS NOT NULL AND v.verdict <> s.said"
            " ORDER BY s.due_at, s.sha256"
        )
        return [
            News(each[1], VerdictKind(each[0]), answer.verdict(each[1:]), each[-1])
            for each in found
        ]

    async def files(self, sha256: str) -> list[Arrival]:
        """The files with this hash that lie, or lay, where they ended; oldest first."""
        found = await self._database.rows(
            f"{row.SELECT} WHERE {row.IN_STRETCHES} AND sha256 = ? AND {_REMOTE}"
            " AND state IN ('released', 'restored', 'quarantined') ORDER BY +id",
            (sha256,),
        )
        return [row.arrival(each) for each in found]

    async def let_go(self, since: float) -> list[tuple[int, str]]:
        """Number and SHA-256 of the files that were let go since then.

        What was stopped as unknown and given back later counts from then on.
        """
        found = await self._database.rows(
            "SELECT id, sha256 FROM arrivals WHERE decided_at > :since AND sha256 IS NOT NULL"
            " AND state IN ('released', 'restored') UNION SELECT id, sha256 FROM arrivals"
            " WHERE verdict = 'unknown' AND state IN ('released', 'restored', 'quarantined')"
            " AND finished_at > :since AND state = 'restored' AND sha256 IS NOT NULL ORDER BY id",
            {"since": since},
        )
        return [(number, sha256) for number, sha256 in found]

    async def taken_since(self, file: Arrival) -> Arrival | None:
        """The newer row of the same bytes that came from where this file was let go to.

        One that is being taken and has not been read yet may be it.
        """
        place = file.destination or b""
        found = await self._database.rows(
            f"{row.SELECT} WHERE {row.IN_STRETCHES} AND name = ? AND id > ? AND origin = ?"
            " AND (sha256 = ? OR sha256 IS NULL) AND state NOT IN ('gone', 'left')"
            " ORDER BY +id DESC LIMIT 1",
            (show(place.rpartition(b"/")[2]), file.id, place, file.sha256),
        )
        return row.arrival(found[0]) if found else None

    async def acted(self, news: News, trouble: str | None = None) -> None:
        """An answer has been acted on; `trouble` is what a person must still see to."""
        changes = "said = ?, looked_at = ?, trouble = ?"
        await self._set(news.sha256, changes, news.verdict.kind.value, news.answered_at, trouble)

    async def looked(self, sha256: str, at: float, due_at: float) -> None:
        """VirusTotal has answered; the next look is at `due_at`."""
        await self._set(sha256, "looked_at = ?, due_at = ?", at, due_at)

    async def put_off(self, sha256: str, due_at: float) -> None:
        """Nothing was asked; look again then."""
        await self._set(sha256, "due_at = ?", due_at)

    async def close(self, sha256: str) -> None:
        """No more looks, unless another such file comes."""
        await self._set(sha256, "due_at = NULL")

    async def forget_trouble(self, before: float) -> None:
        """Troubles of that age are told no longer."""
        old = "trouble IS NOT NULL AND looked_at < ?"
        if await self._database.rows(f"SELECT 1 FROM second_looks WHERE {old}", (before,)):  # noqa: S608
            await self._database.execute(
                f"UPDATE second_looks SET trouble = NULL WHERE {old}",  # noqa: S608
                (before,),
            )

    async def _set(self, sha256: str, changes: str, *values: object) -> None:
        await self._database.execute(
            f"UPDATE second_looks SET {changes} WHERE sha256 = ?",  # noqa: S608
            (*values, sha256),
        )
