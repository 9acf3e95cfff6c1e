"""VirusTotal as a source: a queue of questions, and one task that puts them to it.

Every request takes its own permit from the ledger, so one that fails is not hidden in a retry.
Nothing but VirusTotal's own words about a file becomes a verdict: all that goes wrong makes the
question wait. What verdicts lead to is not known here, nor how HTTP works. Steps that follow from
an answer are in `course` and `uploads`.
"""

import asyncio
from collections.abc import Sequence

from checkfirst.model import Outlook, Question, SourceHealth
from checkfirst.policy.quota import Slot
from checkfirst.sources.virustotal import verdict
from checkfirst.sources.virustotal.course import Course
from checkfirst.sources.virustotal.events import Asked, AskedAgain, Waiting
from checkfirst.sources.virustotal.outlook import Moment, outlooks, spent
from checkfirst.sources.virustotal.outside import Outside
from checkfirst.sources.virustotal.queue import Case, Queue, Stage
from checkfirst.sources.virustotal.rules import SMALL_BYTES, Rules
from checkfirst.sources.virustotal.trouble import Trouble
from checkfirst.sources.virustotal.uploads import Uploads
from checkfirst.store.ledger import Permit

LONGEST_NAP = 60.0
"""Seconds after which the ledger is asked again in any case: the clock may have been set, and a
machine that slept has not counted the time."""


class VirusTotal:
    """A remote source."""

    name = verdict.NAME

    def __init__(self, rules: Rules, outside: Outside) -> None:
        self._out = outside
        self._queue = Queue()
        self._trouble = Trouble(rules, outside, self._queue)
        self._course = Course(outside, self._queue, self._trouble)
        self._uploads = Uploads(outside, self._queue, self._trouble, self._course)
        self._changed = asyncio.Event()
        self._slot: Slot | None = None
        self._no_slot_before = 0.0
        self._uploading: Case | None = None
        self._probing: Case | None = None
        """The upload that shows whether an obstacle is still there."""
        self._asked = 0
        self._told = ""

    def ask(self, questions: Sequence[Question]) -> None:
        """Put questions into the queue."""
        for question in questions:
            self._course.join(self._queue.add(question))
        self._changed.set()

    def ask_again(self, questions: Sequence[Question]) -> None:
        """Ask for news where nobody waits; see `RemoteSource`."""
        for question in questions:
            self._queue.add_again(question)
        self._changed.set()

    def forget(self, sha256: str) -> None:
        """Nobody waits for this answer any more. A request on its way is let to its end."""
        case = self._queue.cases.get(sha256)
        if case is not None:
            case.wanted = False
            if not case.in_hand and not case.owed and case.stage is not Stage.LANDED:
                self._course.drop(case)

    def has(self, sha256: str) -> bool:
        """Say whether anything is still to be done, an upload that nobody waits for included."""
        return sha256 in self._queue.cases

    def wake(self) -> None:
        """Try again at once: a key was set, or the settings were read anew."""
        self._trouble.try_now()
        self._no_slot_before = 0.0
        self._changed.set()

    def reload(self, rules: Rules) -> None:
        """Go by these rules from now on."""
        self._trouble.reload(rules)
        self._changed.set()

    def outlook(self) -> list[Outlook]:
        """Say for each waiting question why it waits and how long."""
        moment = Moment(
            self._out.clock.now(),
            self._out.clock.monotonic(),
            self._trouble.obstacles.standing,
            self._slot,
            self._out.quota.pace,
        )
        return outlooks(self._queue.in_order(), moment)

    def health(self) -> SourceHealth:
        """A spent quota is no illness; a refused key and no network are."""
        problem = self._trouble.obstacles.problem
        return SourceHealth(
            self.name,
            self._asked,
            self._course.delivered,
            healthy=problem is None,
            problem=problem,
        )

    async def run(self) -> None:
        """Work until cancelled; see `RemoteSource.run`."""
        for case in [case for case in self._queue.cases.values() if case.in_hand]:
            self._queue.place(case, Stage.LANDED if case.landed else None)
        try:
            await self._course.owing.take_up()
            async with asyncio.TaskGroup() as group:
                while True:
                    self._changed.clear()
                    await self._step(group)
        except* Exception as failed:  # noqa: BLE001  (unwrapped, for whoever supervises)
            raise failed.exceptions[0] from None
        finally:
            self._uploading = self._probing = None
            await self._out.api.close()

    async def _step(self, group: asyncio.TaskGroup) -> None:
        """Do the next thing that can be done, or wait until there may be one."""
        case = self._next()
        if case is None:
            await self._idle(group)
        elif case.stage is Stage.DELIVER:
            await self._course.hand_over(case)
        elif case.stage is Stage.LANDED:
            await self._uploads.land(case)
        elif not case.begun:
            await self._course.begin(case)
        elif not await self._obstructed(group):
            spare = case.stage is Stage.AGAIN
            granted = await self._out.quota.acquire(spare=spare)
            if not isinstance(granted, Slot):
                self._slot = None
                await self._request(granted, group, spare=spare)
            elif spare:
                self._queue.place(case, due=self._rest(granted))
            else:
                self._no_room(granted)

    def _next(self) -> Case | None:
        order = [Stage.DELIVER, Stage.LANDED]
        if self._probing is None:
            busy = self._uploading is not None
            order += [Stage.LOOK_UP, *([] if busy else [Stage.UPLOAD]), Stage.POLL, Stage.AGAIN]
        return self._queue.best(self._out.clock.monotonic(), order)

    async def _idle(self, group: asyncio.TaskGroup) -> None:
        if not self._queue.cases:
            self._told = ""
        await self._nap(group, None)

    async def _obstructed(self, group: asyncio.TaskGroup) -> bool:
        """Wait a while if nothing can be sent now; say whether that was so."""
        now = self._out.clock.monotonic()
        standing = self._trouble.obstacles.standing
        if standing is not None and standing.until > now:
            self._tell_waiting(
                standing.kind, standing.reason, self._out.clock.now() + standing.until - now
            )
            await self._nap(group, standing.until)
            return True
        if self._no_slot_before > now:
            await self._nap(group, self._no_slot_before)
            return True
        return False

    def _no_room(self, slot: Slot) -> None:
        self._slot = slot
        self._no_slot_before = self._rest(slot)
        self._tell_waiting(slot.limit, spent(slot), slot.until)

    def _rest(self, slot: Slot) -> float:
        """The monotonic moment at which the ledger is asked again."""
        seconds = min(max(slot.until - self._out.clock.now(), 0.0), LONGEST_NAP)
        return self._out.clock.monotonic() + seconds

    def _tell_waiting(self, about: str, reason: str, until: float) -> None:
        somebody_waits = any(case.wanted for case in self._queue.cases.values())
        if about != self._told and somebody_waits:
            self._told = about
            self._out.on_event(Waiting(reason, until, self._out.clock.now()))

    async def _nap(self, group: asyncio.TaskGroup, until: float | None) -> None:
        """Wait for a change, but not past `until` or the moment a resting question is due."""
        ends = [end for end in (until, self._queue.next_due()) if end is not None]
        if not ends:
            await self._changed.wait()
            return
        alarm = group.create_task(self._ring_at(min(ends)))
        try:
            await self._changed.wait()
        finally:
            alarm.cancel()

    async def _ring_at(self, moment: float) -> None:
        clock = self._out.clock
        while (seconds := moment - clock.monotonic()) > 0:
            await clock.sleep(seconds)
        self._changed.set()

    async def _request(self, permit: Permit, group: asyncio.TaskGroup, *, spare: bool) -> None:
        """Send one request for the question whose turn it is now."""
        case = self._next()
        if (
            case is None
            or not case.begun
            or case.stage in {Stage.DELIVER, Stage.LANDED}
            or (case.stage is Stage.AGAIN and not spare)
        ):
            await self._out.quota.unsent(permit)
            return
        self._queue.take(case)
        if case.stage is Stage.AGAIN:
            self._out.on_event(AskedAgain(case.sha256))
            await self._course.look_up(case, permit)
        elif case.stage is Stage.LOOK_UP:
            if not case.asked:
                case.asked = True
                self._asked += 1
                self._out.on_event(Asked(case.sha256))
            await self._course.look_up(case, permit)
        elif case.stage is Stage.POLL:
            await self._course.poll(case, permit)
        elif await self._uploads.is_needless(case) or not await self._course.open_file(case):
            await self._out.quota.unsent(permit)
        elif case.question.size > SMALL_BYTES and case.upload_url is None:
            await self._uploads.find_place(case, permit)
        elif not await self._uploads.claims(case):
            await self._out.quota.unsent(permit)
        else:
            self._uploading = case
            self._probing = case if self._trouble.obstacles.standing else None
            # Beside the others, as a large file on a slow line takes hours.
            group.create_task(self._upload(case, permit, group), name="upload")

    async def _upload(self, case: Case, permit: Permit, group: asyncio.TaskGroup) -> None:
        occupied = group.create_task(self._uploads.occupy(permit), name="upload's permit")
        try:
            await self._uploads.send(case, permit)
        finally:
            occupied.cancel()
            self._uploading = self._probing = None
            self._changed.set()
