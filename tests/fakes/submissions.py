"""The record of uploads in a dict."""

from dataclasses import replace

from checkfirst.store.submissions import Submission


class FakeSubmissions:
    """Implements `checkfirst.sources.virustotal.outside.Submissions`."""

    def __init__(self) -> None:
        self.rows: dict[str, Submission] = {}

    async def get(self, sha256: str) -> Submission | None:
        return self.rows.get(sha256)

    async def begin(self, sha256: str, analysis_id: str, at: float) -> None:
        self.rows[sha256] = Submission(sha256, analysis_id, at)

    async def answered(self, sha256: str, at: float) -> None:
        row = self.rows[sha256]
        first = at if row.first_answered_at is None else row.first_answered_at
        self.rows[sha256] = replace(row, polls=row.polls + 1, first_answered_at=first)

    async def end(self, sha256: str) -> None:
        if sha256 in self.rows:
            self.rows[sha256] = replace(self.rows[sha256], ended=True)
