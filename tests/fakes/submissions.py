"""The record of uploads in a dict."""

from dataclasses import replace
from typing import TYPE_CHECKING

from checkfirst.store.submissions import Sent, Submission

if TYPE_CHECKING:
    from tests.fakes.to_submit import FakeToSubmit


class FakeSubmissions:
    """Implements `checkfirst.sources.virustotal.outside.Submissions`."""

    def __init__(self) -> None:
        self.rows: dict[str, Submission] = {}
        self.sent: list[Sent] = []
        self.to_submit: FakeToSubmit | None = None

    async def get(self, sha256: str) -> Submission | None:
        return self.rows.get(sha256)

    async def begin(self, sent: Sent, analysis_id: str) -> None:
        self.rows[sent.sha256] = Submission(sent.sha256, analysis_id, sent.submitted_at)
        self.sent.append(sent)
        if self.to_submit is not None:
            self.to_submit.forget(sent.sha256)

    async def answered(self, sha256: str, at: float, meant: float) -> Submission | None:
        row = self.rows[sha256]
        since = 0.0 if row.answered_at is None else min(at - row.answered_at, meant)
        waited = row.waited + max(since, 0.0)
        self.rows[sha256] = replace(row, polls=row.polls + 1, waited=waited, answered_at=at)
        return self.rows[sha256]

    async def end(self, sha256: str) -> None:
        if sha256 in self.rows:
            self.rows[sha256] = replace(self.rows[sha256], ended=True)
