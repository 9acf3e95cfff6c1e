"""Uploads that are owed: their files are decided on, and nobody waits for them.

Each is written down before its file is let go or stopped, so that a restart makes up for it. Who
sends a file claims it first, owed or not.
"""

import os

from checkfirst.errors import FileProblem
from checkfirst.model import Question
from checkfirst.policy.names import show
from checkfirst.sources.virustotal.events import Submitted, TakenUp, Waived
from checkfirst.sources.virustotal.opened import words
from checkfirst.sources.virustotal.outside import Outside
from checkfirst.sources.virustotal.queue import Case, Queue
from checkfirst.sources.virustotal.reply import Failure, FailureKind, Reach
from checkfirst.sources.virustotal.trouble import Trouble
from checkfirst.store.submissions import Sent, Submission
from checkfirst.store.to_submit import Claim, Intent

SUBMITTED_LATELY = 86_400.0
"""Seconds in which a file is not uploaded a second time, whatever became of the first."""

UNWANTED = "the settings do not ask for it any more"


class Owing:
    """Knows what is owed and who sends it."""

    def __init__(self, outside: Outside, queue: Queue, trouble: Trouble) -> None:
        self._out = outside
        self._queue = queue
        self._trouble = trouble
        self._took_up = False

    async def take_up(self) -> None:
        """Put those uploads into the queue that an earlier run has left undone; only once."""
        rules = self._trouble.rules
        if self._took_up or not rules.stands_guard:
            return
        for intent in await self._out.to_submit.left_undone():
            question = Question(intent.sha256, intent.size, intent.risk, intent.name, intent.since)
            if rules.submits(question):
                self._out.on_event(TakenUp(intent.sha256, intent.name))
                self._queue.add_owed(question)
            else:
                await self._out.to_submit.waive(intent.sha256)
                self._out.on_event(Waived(intent.sha256, show(intent.name), UNWANTED))
        self._took_up = True

    async def owe(self, case: Case) -> None:
        """It is to be uploaded, whatever happens to its file and to this process."""
        if self._trouble.rules.stands_guard:
            await self._out.to_submit.owe(_intent(case))
        case.owed = True

    async def known(self, case: Case) -> None:
        """VirusTotal knows it, so nothing is to come; what was cut off counts as arrived then."""
        found = await self._out.to_submit.interrupted(case.sha256)
        if found is None:
            await self.waive(case, "VirusTotal knows it by now")
            return
        now = self._out.clock.now()
        await self._out.submissions.begin(Sent(found.sha256, now, found.size, found.name), "")
        await self._out.submissions.end(found.sha256)
        case.submission, case.owed = Submission(found.sha256, "", now, ended=True), False
        self._out.on_event(Submitted(found.sha256, found.size, "", now))

    async def waive(self, case: Case, reason: str = "") -> None:
        """It is not to be uploaded any more; a `reason` is told."""
        if not case.owed:
            return
        if self._trouble.rules.stands_guard:
            await self._out.to_submit.waive(case.sha256)
        case.owed = False
        if reason:
            self._out.on_event(Waived(case.sha256, case.name, reason))

    async def find(self, case: Case) -> bool:
        """Open a file that has been decided on; what is not to be had any more is waived."""
        try:
            case.descriptor = await self._out.find(case.sha256)
        except FileProblem:
            reason = "it was changed since"
        except OSError as error:
            reason = f"it cannot be read any more: {words(error)}"
        else:
            if case.descriptor is None:
                self._trouble.put_off(case)
            return case.descriptor is not None
        await self.waive(case, reason)
        self._queue.remove(case)
        return False

    async def claim(self, case: Case) -> Claim:
        """Make it ours to send, unless another process does, or has lately, or it was cut off."""
        since = self._out.clock.now() - SUBMITTED_LATELY
        return await self._out.to_submit.claim(_intent(case), since, anew=case.looked_again)

    async def failed(self, case: Case, failure: Failure) -> bool:
        """Let others send it; whether VirusTotal may have got it, which they will know as well."""
        if failure.kind is FailureKind.RETRY and failure.reach is Reach.SENT:
            await self._out.to_submit.cut_off(case.sha256)
            return True
        await self._out.to_submit.unclaim(case.sha256)
        return False


def _intent(case: Case) -> Intent:
    question = case.question
    name = os.path.basename(question.held)
    return Intent(question.sha256, question.size, question.risk, name, question.since)
