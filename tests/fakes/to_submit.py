"""The record of uploads to come in a dict, as one process of several sees it."""

from checkfirst.store.to_submit import Intent, Owed
from tests.fakes.submissions import FakeSubmissions


class FakeToSubmit:
    """Implements `checkfirst.sources.virustotal.outside.ToSubmit`; an uploaded file is gone."""

    def __init__(self, submissions: FakeSubmissions) -> None:
        self._submissions = submissions
        self.intents: dict[str, Intent] = {}
        self.owed: set[str] = set()
        self.claims: dict[str, str] = {}
        """Who sends what: "us", or who a test says does."""
        submissions.to_submit = self

    async def owe(self, intent: Intent) -> None:
        self.intents.setdefault(intent.sha256, intent)
        self.owed.add(intent.sha256)

    async def claim(self, intent: Intent, since: float) -> bool:
        sent = self._submissions.rows.get(intent.sha256)
        if sent is not None and sent.submitted_at > since:
            return False
        self.intents.setdefault(intent.sha256, intent)
        return self.claims.setdefault(intent.sha256, "us") == "us"

    async def unclaim(self, sha256: str) -> None:
        if self.claims.get(sha256) == "us":
            del self.claims[sha256]
            if sha256 not in self.owed:
                self.intents.pop(sha256, None)

    async def waive(self, sha256: str) -> None:
        self.owed.discard(sha256)
        if self.claims.get(sha256, "us") == "us":
            self.forget(sha256)

    async def left_undone(self) -> list[Owed]:
        return [
            Owed(self.intents[sha256], self.claims.get(sha256) == "us")
            for sha256 in sorted(self.owed)
        ]

    def forget(self, sha256: str) -> None:
        self.owed.discard(sha256)
        self.claims.pop(sha256, None)
        self.intents.pop(sha256, None)
