"""Uploads: a place for a large file, the upload itself, and what its end leads to."""

import os
from contextlib import suppress

from checkfirst.errors import StoreError
from checkfirst.policy.retry import backoff
from checkfirst.sources.virustotal import verdict
from checkfirst.sources.virustotal.course import CHANGED, TOO_LARGE, Course
from checkfirst.sources.virustotal.events import Problem, Submitted
from checkfirst.sources.virustotal.outside import Outside
from checkfirst.sources.virustotal.owing import UNWANTED
from checkfirst.sources.virustotal.queue import Case, Queue, Stage
from checkfirst.sources.virustotal.reply import Descriptor, Failure, FailureKind, Reach
from checkfirst.sources.virustotal.trouble import Trouble
from checkfirst.store.ledger import Permit
from checkfirst.store.submissions import Sent, Submission
from checkfirst.store.to_submit import Claim

MOST_ATTEMPTS = 10
"""An upload that nobody waits for is given up after so many failures."""

FOLLOW_SECONDS = 5.0
"""How often it is looked what has become of the upload of another process."""

STILL_SENDING = 30.0
"""Seconds after which the ledger hears once more of an upload: no time-out bounds it as a whole,
and the server may count it when it begins or when it ends."""


class Uploads:
    """Sends files that VirusTotal has never seen, where the rules allow it."""

    def __init__(self, outside: Outside, queue: Queue, trouble: Trouble, course: Course) -> None:
        self._out = outside
        self._queue = queue
        self._trouble = trouble
        self._course = course

    async def is_needless(self, case: Case) -> bool:
        """Whether it is not to be uploaded any more.

        The settings may not want it now, or another process has uploaded it since it was looked up;
        then that one counts.
        """
        if not self._trouble.rules.submits(case.question):
            await self._give_up(case, verdict.NEVER_SEEN, UNWANTED)
            return True
        earlier = await self._course.sent_lately(case)
        if earlier is None:
            return False
        if case.verdict is None and case.wanted:
            self._course.close_file(case)
            self._course.go_by(case, earlier)
        else:
            await self._close(case)
        return True

    async def claims(self, case: Case) -> bool:
        """Whether it is ours to send; else another process is followed, which does or has.

        One that was cut off, by whichever process, is looked up once more first.
        """
        claim = await self._course.owing.claim(case)
        if claim is Claim.OURS:
            case.looked_again = False
            return True
        if claim is Claim.CUT_OFF:
            self._let_go(case)
            self._look_again(case)
        elif not await self.is_needless(case):
            self._let_go(case)
            case.why = "another process submits it to VirusTotal"
            self._queue.place(case, due=self._out.clock.monotonic() + FOLLOW_SECONDS)
        return False

    async def find_place(self, case: Case, permit: Permit) -> None:
        """Ask where a large file may be sent."""
        reply = await self._out.api.upload_url()
        await self._course.ended(permit, reply)
        if isinstance(reply, Failure):
            await self._failed(case, reply)
            return
        self._trouble.answered()
        case.upload_url = reply.url
        self._queue.place(case)

    async def send(self, case: Case, permit: Permit) -> None:
        """Upload the file that is open. What it leads to is left to `land`."""
        if case.descriptor is None:
            raise RuntimeError("a file is to be uploaded that nobody opened")
        url, case.upload_url = case.upload_url, None  # each works once
        question = case.question
        reply = await self._out.api.upload(case.descriptor, case.sha256, question.size, url)
        case.landed = (permit, reply)  # from here on it is not sent again, whatever fails
        await self._record(case, reply)
        self._queue.place(case, Stage.LANDED)

    async def occupy(self, permit: Permit) -> None:
        """Keep the permit's place in the minute taken until cancelled."""
        while True:
            await self._out.clock.sleep(STILL_SENDING)
            with suppress(StoreError):  # no reason to break the upload off
                await self._out.quota.goes_on(permit)

    async def land(self, case: Case) -> None:
        """Go by how an upload ended."""
        if case.landed is None:
            raise RuntimeError("an upload has ended that nobody began")
        permit, reply = case.landed
        self._queue.take(case)
        await self._record(case, reply)
        await self._course.ended(permit, reply)
        if isinstance(reply, Failure):
            was_cut_off = await self._course.owing.failed(case, reply)
            case.landed, case.stage = None, Stage.UPLOAD
            if await self._failed(case, reply) and was_cut_off:
                self._look_again(case)
            return
        self._trouble.answered()
        nobody_waits = case.verdict is not None or not case.wanted
        if case.submission is not None and self._trouble.rules.wait and not nobody_waits:
            self._course.await_analysis(case, case.submission)
        else:  # the analysis goes on, and another process may wait for it
            await self._close(case)
        case.landed, case.failures = None, 0
        self._course.close_file(case)

    async def _record(self, case: Case, reply: Descriptor | Failure) -> None:
        """Write down that it was uploaded, once."""
        if isinstance(reply, Failure) or case.submission is not None:
            return
        now, question = self._out.clock.now(), case.question
        sent = Sent(case.sha256, now, question.size, os.path.basename(question.held))
        await self._out.submissions.begin(sent, reply.analysis_id)
        case.submission, case.owed = Submission(case.sha256, reply.analysis_id, now), False
        self._out.on_event(Submitted(case.sha256, question.size, reply.analysis_id, now))

    def _look_again(self, case: Case) -> None:
        """VirusTotal may have got it: it is looked up, and sent again when it is not known then.

        VirusTotal may know a file only some seconds after it has arrived. One that it does not know
        after the time in which an analysis is first asked for is sent twice rather than never.
        """
        poll, retry = self._trouble.rules.poll, self._trouble.rules.retry
        seconds = backoff(case.attempts, retry.first, retry.at_most, self._out.random())
        case.looked_again, case.verdict, case.again, case.failures = True, None, False, 0
        case.why = "its upload to VirusTotal was cut off, and may have arrived"
        due = self._out.clock.monotonic() + max(seconds, poll.first)
        self._queue.place(case, Stage.LOOK_UP, due)

    async def _failed(self, case: Case, failure: Failure) -> bool:
        """Go by a failure on the way; whether another try is to come."""
        if failure.kind is FailureKind.TOO_LARGE:
            self._trouble.answered()
            await self._give_up(case, TOO_LARGE, "it is too large for VirusTotal")
        elif failure.kind is FailureKind.CHANGED:
            await self._give_up(case, CHANGED, "it changed before it was submitted")
        else:
            self._let_go(case)
            self._trouble.failed(case, failure)
            case.attempts += failure.kind is FailureKind.RETRY and failure.reach is not Reach.UNSENT
            lasting = failure.kind is FailureKind.REFUSED or case.attempts >= MOST_ATTEMPTS
            if case.verdict is None or not lasting:
                return True
            text = f"{case.name} was decided on, but not submitted: {failure.message}"
            self._out.on_event(Problem(text, case.sha256))
            await self._close(case)
        return False

    async def _give_up(self, case: Case, reason: str, waived: str) -> None:
        """It cannot be submitted, so it stays what it is: unknown."""
        await self._course.owing.waive(case, waived)
        self._course.close_file(case)
        if case.verdict is None:
            self._course.settle(case, verdict.unknown(reason))
        else:
            await self._close(case)

    def _let_go(self, case: Case) -> None:
        """Close a file that can be opened anew: it stays where it is, or is found again."""
        if case.verdict is None or not case.held:
            self._course.close_file(case)

    async def _close(self, case: Case) -> None:
        """Be done with an upload that nobody waits for, unless somebody asked once more."""
        await self._course.owing.waive(case)
        self._course.close_file(case)
        if case.again and case.verdict is not None:
            self._queue.place(case, Stage.DELIVER)
        elif case.verdict is None and case.wanted:
            self._course.settle(case, verdict.unknown(submitted=case.sha256))
        else:
            self._course.drop(case)
