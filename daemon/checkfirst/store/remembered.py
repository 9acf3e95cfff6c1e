"""What sources have answered before. How long an answer stays good is the caller's to say."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from checkfirst.model import Verdict, VerdictKind
from checkfirst.store import answer, row

if TYPE_CHECKING:
    from checkfirst.store.database import Database


class Remembered:
    """The last answer for each SHA-256; raises StoreError throughout."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def recall(self, sha256s: Sequence[str]) -> dict[str, tuple[Verdict, float]]:
        """The answers known, each with the moment it was given."""
        found = await self._database.rows(
            f"{answer.SELECT} WHERE sha256 IN (SELECT value FROM json_each(?))",  # noqa: S608
            (json.dumps(list(sha256s)),),
        )
        return {each[0]: (answer.verdict(each), each[-1]) for each in found}

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
            verdict.first_seen_at,
            at,
        )
        await self._database.execute(
            "INSERT OR REPLACE INTO verdicts (sha256, verdict, source, reason, detections,"
            " engines, report_url, threats, judged_at, first_seen_at, answered_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )

    async def forget(self, sha256s: Sequence[str]) -> None:
        """Ask anew next time."""
        await self._database.execute(
            "DELETE FROM verdicts WHERE sha256 IN (SELECT value FROM json_each(?))",
            (json.dumps(list(sha256s)),),
        )

    async def prune(self, kind: VerdictKind, before: float) -> int:
        """Forget answers of one kind that were given before then; how many."""
        gone = await self._database.execute(
            "DELETE FROM verdicts WHERE verdict = ? AND answered_at < ? RETURNING 1",
            (kind.value, before),
        )
        return len(gone)
