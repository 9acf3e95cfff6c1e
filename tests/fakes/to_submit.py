"""The record of uploads to come in a dict, as one process of several sees it."""

from checkfirst.store.to_submit import Claim, Intent
from tests.fakes.submissions import FakeSubmissions


class FakeToSubmit:
    """Implements `checkfirst.sources.virustotal.outside.ToSubmit`; an uploaded file is gone."""

    def __init__(self, submissions: FakeSubmissions) -> None:
        self._submissions = submissions
        self.intents: dict[str, Intent] = {}
        self.owed: set[str] = set()
        self.claims: dict[str, str] = {}
        """Who sends what: "us", or who a test says does."""
        self.begun: set[str] = set()
        submissions.to_submit = self

    async def owe(self, intent: Intent) -> None:
        self.intents.setdefault(intent.sha256, intent)
        self.owed.add(intent.sha256)

    async def claim(self, intent: Intent, since: float, *, anew: bool) -> Claim:
        sent = self._submissions.rows.get(intent.sha256)
        uploaded = sent is not None and sent.submitted_at > since
        if uploaded or self.claims.get(intent.sha256, "us") != "us":
            return Claim.THEIRS
        if intent.sha256 in self.begun and not anew:
            self.claims.pop(intent.sha256, None)
            return Claim.CUT_OFF
        self.intents.setdefault(intent.sha256, intent)
        self.claims[intent.sha256] = "us"
        self.begun.add(intent.sha256)
        return Claim.OURS

    async def cut_off(self, sha256: str) -> None:
        if self.claims.get(sha256) == "us":
            del self.claims[sha256]

    async def interrupted(self, sha256: str) -> Intent | None:
        is_ours = self.claims.get(sha256, "us") == "us"
        return self.intents[sha256] if is_ours and sha256 in self.begun else None

    async def unclaim(self, sha256: str) -> None:
        if self.claims.get(sha256) == "us":
            del self.claims[sha256]
            self.begun.discard(sha256)
            if sha256 not in self.owed:
                self.intents.pop(sha256, None)

    async def waive(self, sha256: str) -> None:
        self.owed.discard(sha256)
        if self.claims.get(sha256, "us") == "us":
            self.forget(sha256)

    async def left_undone(self) -> list[Intent]:
        return [self.intents[sha256] for sha256 in sorted(self.owed)]

    def forget(self, sha256: str) -> None:
        self.owed.discard(sha256)
        self.begun.discard(sha256)
        self.claims.pop(sha256, None)
        self.intents.pop(sha256, None)
