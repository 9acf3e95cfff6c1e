"""Judges files where they lie, for `checkfirst check`; nothing is moved and nothing journalled.

A file is read once and let go of, so that no lease keeps a program from writing to it for as long
as an answer takes. What the answers lead to on the screen is not known here, nor which sources
there are.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from checkfirst.clock import Clock
from checkfirst.errors import CheckfirstError, FileProblem
from checkfirst.intake.fingerprint import fingerprint_blocking
from checkfirst.model import (
    Action,
    Answer,
    Decision,
    Fingerprint,
    Mode,
    Outlook,
    Question,
    Verdict,
    VerdictKind,
)
from checkfirst.policy.decide import decide
from checkfirst.sources.source import Remote, Runs
from checkfirst.vault.digest import digest_blocking
from checkfirst.vault.grip import grasp_blocking
from checkfirst.vault.problems import BusyError, ChangedError, NotAFileError
from checkfirst.watch.mounts import filesystem_blocking, is_remote

LOOK_SECONDS = 0.05
"""How often it is looked whether the answers are there."""

PATIENCE_SECONDS = 5.0
"""After so long a person is told what takes so long."""

Tell = Callable[[str], None]
"""Shows a person what is being waited for."""

Stopped = Callable[[], bool]
Watched = Callable[[bytes, int], AbstractContextManager[Stopped]]
"""Shows how far the reading of a file of so many bytes is."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that was read, or the reason why it was not."""

    given: bytes
    """The path as it was given."""
    path: bytes
    """Absolute, with links followed: what was read, and what may be opened."""
    found: Fingerprint | None = None
    trouble: str = ""
    passes: bool = False
    """Whether the same may go well in a moment: somebody is writing to it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A file and what is to be done with it."""

    looked: Looked
    verdict: Verdict | None
    """None for a file that could not be read."""
    decision: Decision


async def look(
    files: Sequence[bytes], watched: Watched, kinds: Collection[str] = ()
) -> list[Looked]:
    """Read each file; what cannot be read becomes trouble, and nothing is raised for it.

    `kinds` are the hashes that are wanted besides SHA-256.
    """
    interrupted = threading.Event()
    try:
        return [
            await asyncio.to_thread(_look_blocking, given, watched, interrupted.is_set, kinds)
            for given in files
        ]
    finally:
        interrupted.set()


def unchanged_blocking(judged: Judged) -> bool:
    """Read the file once more: whether its bytes are still those that were judged."""
    found = judged.looked.found
    try:
        with grasp_blocking(judged.looked.path, lease=_leases_blocking(judged.looked.path)) as grip:
            return found is not None and digest_blocking(grip) == found.sha256
    except (FileProblem, OSError):
        return False


def judge(looked: Looked, verdict: Verdict | None, mode: Mode, note: str = "") -> Judged:
    """Decide by the main table; a file that could not be read has to wait. `note` follows why."""
    if verdict is None:
        return Judged(looked, None, Decision(Action.WAIT, looked.trouble))
    decision = decide(verdict, mode)
    if note:
        decision = decision._replace(reason=f"{decision.reason}; {note}")
    return Judged(looked, verdict, decision)


class Asking:
    """Questions to a remote source, and what came of them."""

    def __init__(self, clock: Clock, tell: Tell) -> None:
        self._clock = clock
        self._tell = tell
        self._told = ""
        self._problem = ""
        self._verdicts: dict[str, Verdict] = {}
        self._pages: dict[str, str] = {}
        self._notes: dict[str, str] = {}
        self._outlook: dict[str, Outlook] = {}
        self._failure = ""

    async def deliver(self, answer: Answer) -> None:
        """Take an answer over."""
        self._verdicts[answer.sha256] = answer.verdict

    def submitted(self, sha256: str, page: str) -> None:
        """The file was uploaded, and this page will tell of it."""
        self._pages[sha256] = page
        self._notes[sha256] = "submitted to VirusTotal"

    def trouble(self, sha256: str, text: str) -> None:
        """Something went wrong with one file."""
        self._notes[sha256] = text

    def problem(self, text: str) -> None:
        """Something is wrong with a whole source; `text` begins with what its outlook will say."""
        self._problem = text
        self._tell(text)

    async def ask(self, remote: Remote, questions: Sequence[Question], seconds: float) -> None:
        """Wait for answers and uploads, for so long at most; sooner when none can come in time."""
        begun = self._clock.monotonic()
        end = begun + seconds
        hashes = {question.sha256 for question in questions}
        async with asyncio.TaskGroup() as group:
            works = [group.create_task(self._work(each), name=each.name) for each in remote.sources]
            try:
                remote.ask(questions)
                while not self._failure and self._can_go_on(remote, hashes, end):
                    if not self._told and self._clock.monotonic() >= begun + PATIENCE_SECONDS:
                        self._tell_of(next(iter(remote.outlook()), None))
                    await self._clock.sleep(LOOK_SECONDS)
            finally:
                self._outlook = {each.sha256: each for each in remote.outlook()}
                for sha256 in hashes & self._verdicts.keys():
                    if remote.has(sha256):
                        self._notes[sha256] = "it was not submitted, for want of time"
                for work in works:
                    work.cancel()

    def verdict(self, sha256: str, source: str) -> Verdict:
        """Give what the source said; pending, with the reason, when it did not answer."""
        found = self._verdicts.get(sha256)
        if found is not None:
            return found._replace(report_url=found.report_url or self._pages.get(sha256))
        outlook = self._outlook.get(sha256)
        if self._failure:
            reason = self._failure
        elif outlook is None:
            reason = "there was no answer in time"
        else:
            reason = f"no answer in time: {self._in_words(outlook)}"
        return Verdict(VerdictKind.PENDING, source, reason)

    def note(self, sha256: str) -> str:
        """Say what else is to be known of an unknown file: whether it was submitted."""
        verdict = self._verdicts.get(sha256)
        unknown = verdict is not None and verdict.kind is VerdictKind.UNKNOWN
        return self._notes.get(sha256, "") if unknown else ""

    async def _work(self, source: Runs) -> None:
        try:
            await source.run()
        except CheckfirstError as error:
            self._failure = str(error)

    def _can_go_on(self, remote: Remote, hashes: set[str], end: float) -> bool:
        left = {sha256 for sha256 in hashes if remote.has(sha256)}
        seconds = end - self._clock.monotonic()
        if not left or seconds <= 0:
            return False
        outlook = {each.sha256: each for each in remote.outlook()}
        now = self._clock.now()
        ends = [each.until for each in outlook.values() if each.until and each.until > now + 1]
        if len(ends) == len(outlook):
            self._tell_of(min(outlook.values(), key=lambda each: each.until or 0.0, default=None))
        return len(ends) < len(left) or min(ends) <= now + seconds

    def _tell_of(self, outlook: Outlook | None) -> None:
        if outlook is not None and outlook.reason != self._told:
            self._told = outlook.reason
            is_known = self._problem.casefold().startswith(outlook.reason.casefold())
            until = self._until(outlook)
            words = f"Waiting {until}" if is_known and until else self._in_words(outlook)
            self._tell(f"{words} …")

    def _in_words(self, outlook: Outlook) -> str:
        until = self._until(outlook)
        return f"{outlook.reason} ({until})" if until else outlook.reason

    def _until(self, outlook: Outlook) -> str:
        if outlook.until is None or outlook.until <= self._clock.now() + 1:
            return ""
        until = time.localtime(outlook.until)
        today = time.localtime(self._clock.now())
        pattern = "%H:%M:%S" if until[:3] == today[:3] else "%Y-%m-%d %H:%M"
        return f"until {time.strftime(pattern, until)}"


def _look_blocking(
    given: bytes, watched: Watched, interrupted: Stopped, kinds: Collection[str]
) -> Looked:
    path = os.path.realpath(given)
    try:
        with (
            grasp_blocking(path, lease=_leases_blocking(path)) as grip,
            watched(given, grip.stamp.size) as stopped,
        ):
            name = os.path.basename(path)
            found = fingerprint_blocking(grip, name, lambda: stopped() or interrupted(), kinds)
    except FileNotFoundError:
        is_link = os.path.islink(given)
        words = "it is a link to a file that is not there" if is_link else "there is no such file"
        return Looked(given, path, trouble=words)
    except NotAFileError:
        what = "a folder; name the files in it" if os.path.isdir(path) else "no regular file"
        return Looked(given, path, trouble=f"it is {what}")
    except FileProblem as error:
        passes = isinstance(error, BusyError | ChangedError)
        trouble = error.title[:1].lower() + error.title[1:]
        return Looked(given, path, trouble=trouble, passes=passes)
    except OSError as error:
        return Looked(given, path, trouble=f"cannot be read: {error.strerror or error}")
    return Looked(given, path, found)


def _leases_blocking(path: bytes) -> bool:
    """Network filesystems may refuse a lease for ever."""
    return not is_remote(filesystem_blocking(path))
