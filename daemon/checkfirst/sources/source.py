"""What it takes to answer for a SHA-256. Who asks, and what comes of the answer, is not known here.

A local source answers at once from what is on this machine. A remote one takes its time, has
quotas and bad days; it keeps its questions in a queue and hands each answer to the `deliver` it
was made with.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from checkfirst.model import Answer, Fingerprint, Outlook, Question, SourceHealth, Verdict

Deliver = Callable[[Answer], Awaitable[None]]
"""Takes an answer over; when it comes back without an error the question is done with."""

Remember = Callable[[str, Verdict], Awaitable[None]]
"""Keeps the verdict on a SHA-256, so that it is not asked for again while it is fresh."""


class LocalSource(Protocol):
    """Answers at once, for as many as it knows, and is silent about the others."""

    name: str

    async def answer(self, prints: Sequence[Fingerprint]) -> dict[str, Verdict]:
        """Give verdicts by SHA-256; never a pending one."""
        ...

    def health(self) -> SourceHealth:
        """Say how it is doing."""
        ...


class Runs(Protocol):
    """Something with a name that works until it is cancelled."""

    name: str

    async def run(self) -> None:
        """Work until cancelled. After an error it may be run again and goes on where it was."""
        ...


class Asked(Protocol):
    """What takes questions whose answers come later."""

    def ask(self, questions: Sequence[Question]) -> None:
        """Put questions into the queue; a SHA-256 that waits already is not asked twice."""
        ...

    def ask_again(self, questions: Sequence[Question]) -> None:
        """Ask for news where nobody waits, with requests that nobody else needs.

        Nothing is uploaded and nothing delivered: an answer is remembered, as any is. When `has`
        says no, there was an answer, or there is none yet.
        """
        ...

    def forget(self, sha256: str) -> None:
        """Nobody waits for this answer any more."""
        ...

    def has(self, sha256: str) -> bool:
        """Say whether anything is still to be done, an upload that nobody waits for included."""
        ...

    def outlook(self) -> list[Outlook]:
        """Say for each waiting question, in the order of the queue, why it waits and how long."""
        ...

    def wake(self) -> None:
        """Try again at once: something may have been mended."""
        ...


class RemoteSource(Asked, Runs, Protocol):
    """Answers in its own time."""

    def health(self) -> SourceHealth:
        """Say how it is doing."""
        ...


class Remote(Asked, Protocol):
    """All that is asked after the local sources, as one."""

    @property
    def sources(self) -> Sequence[Runs]:
        """Give what is to be run for it."""
        ...

    def health(self) -> list[SourceHealth]:
        """Say how each source is doing, in order."""
        ...
