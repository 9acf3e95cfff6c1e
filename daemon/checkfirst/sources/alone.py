"""What stands in place of the remote sources where none is to be asked.

A file that no local source knows is judged by the chain itself, as long as every source in it could
be asked. What comes here is what could not be judged, because one of them was broken: it stays
held, and the chain is asked again until it can tell.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from checkfirst.clock import Clock
from checkfirst.model import (
    Answer,
    Fingerprint,
    Mode,
    Outlook,
    Question,
    SourceHealth,
    Verdict,
)
from checkfirst.policy.retry import backoff
from checkfirst.sources.source import Deliver

AskAgain = Callable[[Sequence[Fingerprint]], Awaitable[Mapping[str, Verdict]]]
"""Puts files to the local sources."""

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 60.0
_WHY = "a source on this machine cannot be asked, and no other is asked"


_UNKNOWN = {Mode.NORMAL: "releases", Mode.STOP_UNKNOWNS: "quarantines"}


def meaning(names: Sequence[str], mode: Mode) -> str:
    """Say what it means that only these sources are asked."""
    return (
        f"only this machine is asked ({', '.join(names)}), as the setting `sources` names no other;"
        f" a file that none of them knows counts as unknown, and mode {mode} {_UNKNOWN[mode]} it"
    )


class Alone:
    """A remote source that is none: it asks the local ones again."""

    name = "local"

    def __init__(self, ask_again: AskAgain, deliver: Deliver, clock: Clock) -> None:
        self._ask_again = ask_again
        self._deliver = deliver
        self._clock = clock
        self._open: dict[str, Question] = {}
        self._until: float | None = None
        self._changed = asyncio.Event()
        self.sources = (self,)
        """To be run, like any remote source."""

    def ask(self, questions: Sequence[Question]) -> None:
        """Keep questions until the local sources can tell."""
        self._open |= {question.sha256: question for question in questions}
        self._changed.set()

    def ask_again(self, questions: Sequence[Question]) -> None:
        """Nobody far away has news."""

    def forget(self, sha256: str) -> None:
        """Nobody waits for this answer any more."""
        self._open.pop(sha256, None)

    def has(self, sha256: str) -> bool:
        """Say whether this file is still to be judged."""
        return sha256 in self._open

    def outlook(self) -> list[Outlook]:
        """Say when the local sources are asked again."""
        return [Outlook(sha256, _WHY, self._until) for sha256 in self._open]

    def health(self) -> list[SourceHealth]:
        """It is no source of its own; the chain tells of the others."""
        return []

    def wake(self) -> None:
        """Nothing to be done: the next try is never far."""

    async def run(self) -> None:
        """Work until cancelled."""
        tries = 0
        while True:
            if self._open:
                pause = backoff(tries, FIRST_SECONDS, LONGEST_SECONDS, 0.0)
                self._until = self._clock.now() + pause
                await self._clock.sleep(pause)
            else:
                self._changed.clear()
                await self._changed.wait()
            tries = 0 if await self._try() else tries + 1

    async def _try(self) -> bool:
        """Ask the chain; say whether all is answered."""
        asked = dict(self._open)
        prints = [Fingerprint(each.sha256, each.size, "", each.risk) for each in asked.values()]
        for sha256, verdict in (await self._ask_again(prints)).items():
            await self._deliver(Answer(sha256, verdict))
            if self._open.get(sha256) is asked[sha256]:
                del self._open[sha256]
        return not self._open
