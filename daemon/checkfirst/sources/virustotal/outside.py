"""What the source works with and does not make itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from checkfirst.clock import Clock
from checkfirst.policy.quota import Pace, Slot
from checkfirst.sources.source import Deliver, Remember
from checkfirst.sources.virustotal.events import OnEvent, nobody_listens
from checkfirst.sources.virustotal.reply import (
    AnalysisStatus,
    Descriptor,
    Failure,
    NotKnown,
    Report,
    UploadUrl,
)
from checkfirst.store.ledger import Permit
from checkfirst.store.submissions import Sent, Submission
from checkfirst.store.to_submit import Claim, Intent


class Api(Protocol):
    """VirusTotal; each method sends at most one request, and nothing is raised for its failures."""

    async def report(self, sha256: str) -> Report | NotKnown | Failure:
        """Look a file up."""
        ...

    async def upload_url(self) -> UploadUrl | Failure:
        """Ask where one large file may be sent."""
        ...

    async def upload(
        self, descriptor: int, sha256: str, size: int, url: str | None = None
    ) -> Descriptor | Failure:
        """Send an open file."""
        ...

    async def analysis(self, analysis_id: str, sha256: str) -> AnalysisStatus | NotKnown | Failure:
        """Ask how far an analysis is."""
        ...

    async def close(self) -> None:
        """Let go of connections; the next request makes new ones."""
        ...


class Quota(Protocol):
    """The ledger of requests."""

    @property
    def pace(self) -> Pace:
        """How fast requests can follow each other."""
        ...

    async def acquire(self, *, spare: bool = False) -> Permit | Slot:
        """Give a permit for one request, or say when to ask again; `spare`: if it will not lack."""
        ...

    async def answered(self, permit: Permit) -> None:
        """The request has ended now."""
        ...

    async def goes_on(self, permit: Permit) -> None:
        """The request is still on its way, and its time-out runs anew."""
        ...

    async def unsent(self, permit: Permit) -> None:
        """The request was never sent."""
        ...


class Submissions(Protocol):
    """The record of uploads."""

    async def get(self, sha256: str) -> Submission | None:
        """Give the last upload of a file."""
        ...

    async def begin(self, sent: Sent, analysis_id: str) -> None:
        """It was uploaded."""
        ...

    async def answered(self, sha256: str, at: float, meant: float) -> Submission | None:
        """A poll was answered, `meant` seconds after the one before, and gives the upload anew."""
        ...

    async def end(self, sha256: str) -> None:
        """The analysis has come to its end."""
        ...


class ToSubmit(Protocol):
    """The record of uploads that are to come or under way."""

    async def owe(self, intent: Intent) -> None:
        """It is to come, and a restart must find it."""
        ...

    async def claim(self, intent: Intent, since: float, *, anew: bool) -> Claim:
        """Make it ours to send: nobody does, nobody has since then, and it has not arrived."""
        ...

    async def cut_off(self, sha256: str) -> None:
        """We do not send it now, and all of it may have arrived."""
        ...

    async def interrupted(self, sha256: str) -> Intent | None:
        """One that had begun, of which nobody has heard how it ended, and that nobody sends now."""
        ...

    async def unclaim(self, sha256: str) -> None:
        """We do not send it now, and it has not arrived."""
        ...

    async def waive(self, sha256: str) -> None:
        """It is not owed any more."""
        ...

    async def left_undone(self) -> list[Intent]:
        """Give what an earlier run owed."""
        ...


Find = Callable[[str], Awaitable[int | None]]
"""Opens the bytes of a SHA-256 wherever they are; None when that was broken off.

Raises FileProblem where something else lies, OSError, StoreError.
"""


async def find_nothing(sha256: str) -> int | None:
    """There is no journal to look into."""
    raise FileNotFoundError(None, "nobody knows where it is", sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """All of it in one value."""

    api: Api
    quota: Quota
    submissions: Submissions
    to_submit: ToSubmit
    deliver: Deliver
    remember: Remember
    clock: Clock
    random: Callable[[], float]
    """Gives numbers in [0, 1)."""
    on_event: OnEvent = nobody_listens
    find: Find = find_nothing
