"""What sources have answered before. How long an answer stays good is the caller's to say."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from checkfirst.model import Verdict, VerdictKind
from checkfirst.store import row

if TYPE_CHECKING:
    from checkfirst.store.database import Database

SELECT = (
    "SELECT sha256, verdict, source, reason, detections, engines, report_url, threats, judged_at,"
    " answered_at FROM verdicts"
)


class Remembered:
    """The last answer for each SHA-256; raises StoreError throughout."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def recall(self, sha256s: Sequence[str]) -> dict[str, tuple[Verdict, float]]:
        """The answers known, each with the moment it was given."""
        found = await self._database.rows(
            f"{SELECT} WHERE sha256 IN (SELECT value FROM json_each(?))",  # noqa: S608
            (json.dumps(list(sha256s)),),
        )
        return {each[0]: (verdict(each), each[-1]) for each in found}

    async def remember(self, sha256: str, verdict: Verdict, at: float) -> None:
        """Keep an answer in place of the one before. Pending is none: ValueError."""
        if verdict.kind is VerdictKind.PENDING:
            raise ValueError("pending is no answer")
        values = (
            sha256,
            verdict.kind.value,
            row.text(verdict.source),
            row.text(verdict.reason),
            verdict.detections,
            verdict.engines,
            None if verdict.report_url is None else row.text(verdict.report_url),
            row.threats_stored(verdict.threats),
            verdict.judged_at,
            at,
        )
        async with self._database.writing() as connection:
            await connection.execute_fetchall(
                "INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values
            )

    async def forget(self, sha256s: Sequence[str]) -> None:
        """Ask anew next time."""
        async with self._database.writing() as connection:
            await connection.execute_fetchall(
                "DELETE FROM verdicts WHERE sha256 IN (SELECT value FROM json_each(?))",
                (json.dumps(list(sha256s)),),
            )

    async def prune(self, kind: VerdictKind, before: float) -> int:
        """Forget answers of one kind that were given before then; how many."""
        async with self._database.writing() as connection:
            gone = await connection.execute_fetchall(
                "DELETE FROM verdicts WHERE verdict = ? AND answered_at < ? RETURNING 1",
                (kind.value, before),
            )
        return len(list(gone))


def verdict(found: Sequence[Any]) -> Verdict:
    """The value of a row read with `SELECT`."""
    return Verdict(
        kind=VerdictKind(found[1]),
        source=found[2],
        reason=found[3],
        detections=found[4],
        engines=found[5],
        report_url=found[6],
        threats=row.threats(found[7]),
        judged_at=found[8],
    )
