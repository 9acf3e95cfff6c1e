"""The course of a question: what each answer of VirusTotal's leads to.

A report or a finished analysis becomes a verdict and is delivered; a file that was never seen goes
to be uploaded where the rules say so. When to send is decided in `worker`, what comes of failures
in `trouble`.
"""

import asyncio
import os

from checkfirst.model import Answer, Verdict, VerdictKind
from checkfirst.policy.retry import doubling
from checkfirst.sources.virustotal import verdict
from checkfirst.sources.virustotal.events import Problem
from checkfirst.sources.virustotal.opened import NotThatFileError, open_blocking, words
from checkfirst.sources.virustotal.outside import Outside
from checkfirst.sources.virustotal.owing import SUBMITTED_LATELY, Owing
from checkfirst.sources.virustotal.queue import Case, Queue, Stage
from checkfirst.sources.virustotal.reply import AnalysisStatus, Failure, NotKnown, Reach
from checkfirst.sources.virustotal.rules import LARGEST_BYTES
from checkfirst.sources.virustotal.trouble import Trouble
from checkfirst.store.ledger import Permit
from checkfirst.store.submissions import Submission

MOST_OPEN = 64
"""So many files are kept open at once for uploads that nobody waits for; those that come on top of
them are handed over only when they have been uploaded."""

TOO_SHORT = 0.5
"""Seconds: what is left of a wait is not worth another poll. Two clocks run apart by less."""

CHANGED = f"{verdict.NEVER_SEEN}, and it changed before it was submitted"
TOO_LARGE = f"{verdict.NEVER_SEEN}, and it is too large to submit"
LATE = "VirusTotal had never seen it, and did not finish its analysis in time"


class Course:
    """Takes questions from their first step to their last."""

    def __init__(self, outside: Outside, queue: Queue, trouble: Trouble) -> None:
        self._out = outside
        self._queue = queue
        self._trouble = trouble
        self.owing = Owing(outside, queue, trouble)
        self.delivered = 0
        self.open_files = 0

    def join(self, case: Case) -> None:
        """Somebody waits for this answer (again)."""
        case.wanted = True
        if case.verdict is not None:
            case.again = True
            if case.stage is Stage.UPLOAD and not case.in_hand:
                self._queue.place(case, Stage.DELIVER)

    def drop(self, case: Case) -> None:
        """Be done with a question."""
        self._queue.remove(case)
        self.close_file(case)

    async def begin(self, case: Case) -> None:
        """Go on with an upload of an earlier run or of another process, if there was one lately."""
        submission = await self._out.submissions.get(case.sha256)
        case.begun = True
        goes_on = submission is not None and not submission.ended and self._is_recent(submission)
        if goes_on and self._trouble.rules.wait:
            case.submission = submission
            self._queue.place(case, Stage.POLL)

    async def ended(self, permit: Permit, reply: object) -> None:
        """Tell the ledger how a request ended."""
        if isinstance(reply, Failure) and reply.reach is Reach.UNSENT:
            await self._out.quota.unsent(permit)
        else:
            await self._out.quota.answered(permit)

    async def look_up(self, case: Case, permit: Permit) -> None:
        """Ask for the report and go by it."""
        reply = await self._out.api.report(case.sha256)
        await self.ended(permit, reply)
        if isinstance(reply, Failure):
            self._trouble.failed(case, reply)
            return
        self._trouble.answered()
        case.failures = 0
        if isinstance(reply, NotKnown):
            await self._not_known(case)
            return
        found = verdict.of_report(reply, self._trouble.rules)
        await self.owing.known(case)
        if found.kind is not VerdictKind.PENDING:
            self.settle(case, found)
            return
        if not case.wanted:
            self.drop(case)
            return
        case.why = f"VirusTotal has no result yet: {found.reason}"
        seconds = doubling(case.pending_reports)
        case.pending_reports += 1
        self._queue.place(case, due=self._out.clock.monotonic() + seconds)

    async def poll(self, case: Case, permit: Permit) -> None:
        """Ask how far the analysis is and go by it."""
        submission = case.submission
        if submission is None:
            raise RuntimeError("an analysis is awaited that nobody began")
        reply = await self._out.api.analysis(submission.analysis_id, case.sha256)
        await self.ended(permit, reply)
        if isinstance(reply, Failure):
            self._trouble.failed(case, reply)
            return
        self._trouble.answered()
        case.failures = 0
        if isinstance(reply, NotKnown):
            await self._out.submissions.end(case.sha256)
            case.submission = None
            self._queue.place(case, Stage.LOOK_UP, self._next_poll(submission))
            return
        await self._progress(case, submission, reply)

    def settle(self, case: Case, found: Verdict, *, keeps: bool = True) -> None:
        """The verdict is there; it is handed over next, and remembered if it `keeps`."""
        case.verdict, case.keeps = found, keeps
        self._queue.place(case, Stage.DELIVER)

    async def hand_over(self, case: Case) -> None:
        """Remember the verdict and deliver it; raises what either of them raises."""
        found = case.verdict
        if found is None:
            raise RuntimeError("an answer is to be delivered that nobody gave")
        self._queue.take(case)
        case.again = False
        submitted_at = case.submission.submitted_at if case.submission else None
        try:
            if case.keeps:
                await self._out.remember(case.sha256, found)
            if case.wanted:
                await self._out.deliver(Answer(case.sha256, found, submitted_at))
        except Exception:
            self._trouble.put_off(case)
            raise
        self.delivered += case.wanted
        case.failures = 0
        if case.again:  # a copy came while the answer to the others was on its way
            self._queue.place(case)
        elif case.owed:
            case.wanted = False
            self._queue.place(case, Stage.UPLOAD)
        else:
            self.drop(case)

    async def open_file(self, case: Case) -> bool:
        """Open the file to upload it; when that cannot be, put the question back and say so."""
        if case.descriptor is not None:
            return True
        if case.owed and not case.wanted:
            found = await self.owing.find(case)
            self.open_files += found
            return found
        try:
            case.descriptor = await asyncio.to_thread(
                open_blocking, tuple(case.held), case.question.size
            )
        except NotThatFileError:
            self.settle(case, verdict.unknown(CHANGED))
        except OSError as error:
            case.why = f"it cannot be opened to be submitted to VirusTotal: {words(error)}"
            self._trouble.put_off(case)
            self._out.on_event(Problem(f"{case.name} is not submitted: {case.why}", case.sha256))
        else:
            self.open_files += 1
        return case.descriptor is not None

    def close_file(self, case: Case) -> None:
        """Let go of the file that was to be uploaded."""
        if case.descriptor is not None:
            os.close(case.descriptor)
            case.descriptor = None
            self.open_files -= 1

    def await_analysis(self, case: Case, submission: Submission) -> None:
        """Ask for the result of an upload after a while."""
        case.submission = submission
        case.why = "being analysed by VirusTotal"
        self._queue.place(case, Stage.POLL, self._next_poll(submission))

    async def sent_lately(self, case: Case) -> Submission | None:
        """Find the upload, by whichever process, after which there is to be no other."""
        earlier = await self._out.submissions.get(case.sha256)
        return earlier if earlier is not None and self._is_recent(earlier) else None

    def go_by(self, case: Case, earlier: Submission) -> None:
        """Wait for the analysis of an upload that was there already, where that is to be."""
        if self._trouble.rules.wait and not earlier.ended:
            self.await_analysis(case, earlier)
            return
        case.submission = earlier
        reason = f"{verdict.NEVER_SEEN} before it was submitted lately"
        # That an analysis is not waited for here is no answer for whoever waits for it.
        found = verdict.unknown(reason, submitted=case.sha256)
        self.settle(case, found, keeps=earlier.ended)

    async def _not_known(self, case: Case) -> None:
        question, rules = case.question, self._trouble.rules
        if not rules.submits(question) or not case.wanted:  # what is owed is seen to in its turn
            self.settle(case, verdict.unknown())
            return
        if question.size > LARGEST_BYTES:
            self.settle(case, verdict.unknown(TOO_LARGE))
            return
        if earlier := await self.sent_lately(case):
            self.go_by(case, earlier)
        elif rules.wait or self.open_files >= MOST_OPEN:
            self._queue.place(case, Stage.UPLOAD)
        else:
            await self.open_file(case)  # now, as it is moved on before it is uploaded
            if case.descriptor is not None:
                await self.owing.owe(case)
            if case.verdict is None:
                self.settle(case, verdict.unknown())

    def _is_recent(self, submission: Submission) -> bool:
        return self._out.clock.now() - submission.submitted_at < SUBMITTED_LATELY

    async def _progress(self, case: Case, submission: Submission, status: AnalysisStatus) -> None:
        now, monotonic = self._out.clock.now(), self._out.clock.monotonic()
        meant = self._until_next_poll(submission)
        after = await self._out.submissions.answered(case.sha256, now, meant)
        case.submission = submission = after or submission
        found = verdict.of_analysis(status, case.sha256, self._trouble.rules, now)
        if found.kind is VerdictKind.PENDING:
            left = self._trouble.rules.wait_at_most - submission.waited
            if left > TOO_SHORT:
                self.await_analysis(case, submission)
                latest = monotonic + left
                if case.due > latest:
                    self._queue.place(case, due=latest)
                return
            found = verdict.unknown(LATE, submitted=case.sha256)
        await self._out.submissions.end(case.sha256)
        self.settle(case, found)

    def _next_poll(self, submission: Submission) -> float:
        return self._out.clock.monotonic() + self._until_next_poll(submission)

    def _until_next_poll(self, submission: Submission) -> float:
        poll = self._trouble.rules.poll
        return doubling(submission.polls, poll.first, poll.at_most)
