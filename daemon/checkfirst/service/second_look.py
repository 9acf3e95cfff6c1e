"""The second look: files that came to their end on weak grounds are asked about again.

Whoever asked and whatever for, a remembered answer that differs from what has been acted on is
news. What is to be done is seen from the rows and from where the files lie, so it may be done again
after a crash. A file that turns out malicious is taken back. Nothing is moved here.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from checkfirst.clock import Clock
from checkfirst.model import Arrival, Question, Risk, State, Verdict, VerdictKind
from checkfirst.policy.recheck import Conclusion, conclude, is_past
from checkfirst.service.listener import Listener
from checkfirst.service.taking_back import End, TakingBack
from checkfirst.service.work import Again, Turn
from checkfirst.sources.source import Remote
from checkfirst.store.remembered import Remembered
from checkfirst.store.second_looks import News, Promise, SecondLooks

LOOK_SECONDS = 30.0
"""How long a file's end, or an answer that was asked for otherwise, may go unnoticed here."""
SHORTEST_SECONDS = 1.0
BUSY_SECONDS = 5.0
"""How often it is seen whether a file that is being taken back has arrived."""
AT_ONCE = 4
"""Questions that are under way together: one that fails must not keep the others waiting."""

Restore = Callable[[Arrival], Awaitable[bytes | None]]
"""Gives a quarantined file back and says where to; None when that cannot be now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the second look does its work with."""

    looks: SecondLooks
    remembered: Remembered
    remote: Remote
    local: Callable[[Sequence[Arrival]], Awaitable[Verdict | None]]
    """What the sources on this machine say of these files with the same bytes, lists first."""
    taking: TakingBack
    restore: Restore | None
    """None when a person is to do it."""


class SecondLook:
    """Keeps the promises; one role."""

    def __init__(
        self, means: Means, teller: Listener, clock: Clock, *, span: float, every: float
    ) -> None:
        """Files are looked at again each `every` seconds, for `span` seconds after their end."""
        self._means = means
        self._tell = teller
        self._clock = clock
        self._span = span
        self._every = every
        self._asked: dict[str, float] = {}
        """When those were asked about that are under way."""
        self._taking = means.taking
        self._is_busy = False

    async def run(self) -> None:
        """Look again until cancelled."""
        await self._means.looks.prune()
        await self._means.looks.no_later_than(self._clock.now() + self._every)
        while True:
            await self.once()
            await self._rest(await self._pause())

    async def once(self) -> None:
        """Do everything that can be done now."""
        looks, now = self._means.looks, self._clock.now()
        await looks.enrol(now, self._span, self._every)
        await looks.forget_trouble(now - self._span)
        for sha256 in [each for each in self._asked if not self._means.remote.has(each)]:
            await self._answered(sha256, self._asked.pop(sha256))
        self._is_busy = False
        for news in await looks.news():
            await self._act(news)
        for promise in await looks.due(now, AT_ONCE):
            if promise.sha256 not in self._asked:
                await self._keep(promise)

    async def _rest(self, seconds: float) -> None:
        """Until then, or until a question is done with, whichever is first."""
        end = self._clock.monotonic() + seconds
        while (left := end - self._clock.monotonic()) > 0:
            await self._clock.sleep(min(left, SHORTEST_SECONDS) if self._asked else left)
            if not all(map(self._means.remote.has, self._asked)):
                return

    async def _pause(self) -> float:
        if self._is_busy:
            return min(BUSY_SECONDS, self._every)
        due = None if self._asked else await self._means.looks.next_due()
        left = LOOK_SECONDS if due is None else due - self._clock.now()
        return max(min(left, LOOK_SECONDS, self._every), SHORTEST_SECONDS)

    async def _keep(self, promise: Promise) -> None:
        """Ask again, if there is still a file to ask for and nobody has just asked."""
        sha256, now = promise.sha256, self._clock.now()
        files = await self._means.looks.files(sha256)
        if all(is_past(file, self._span, now) for file in files):
            await self._means.looks.close(sha256)
            return
        if await self._is_settled_here(files):
            await self._means.looks.put_off(sha256, now + self._every)
            return
        answered_at = await self._answered_at(sha256)
        if answered_at is not None and 0 <= now - answered_at < self._every:
            await self._means.looks.looked(sha256, answered_at, answered_at + self._every)
            return
        self._tell.names(sha256, files[-1].name)
        self._asked[sha256] = now
        question = Question(sha256, promise.size, Risk.OTHER, b"", promise.due_at)
        self._means.remote.ask_again([question])

    async def _is_settled_here(self, files: Sequence[Arrival]) -> bool:
        """Whether a list of the person's, or another source on this machine, has the last word."""
        said = await self._means.local(files)
        return said is not None and said.source != "remembered"

    async def _answered(self, sha256: str, asked_at: float) -> None:
        """A question is done with; without an answer VirusTotal had no result yet."""
        answered_at = await self._answered_at(sha256)
        at = max(answered_at or asked_at, asked_at)
        await self._means.looks.looked(sha256, at, at + self._every)

    async def _answered_at(self, sha256: str) -> float | None:
        found = await self._means.remembered.recall([sha256])
        return found[sha256][1] if sha256 in found else None

    async def _act(self, news: News) -> None:
        """Do what an answer leads to; what cannot be done now is found again next time."""
        files = await self._means.looks.files(news.sha256)
        if await self._is_settled_here(files):
            return
        ends = [await self._act_on(file, news.verdict) for file in files]
        self._is_busy = self._is_busy or any(end.is_under_way for end in ends)
        if not all(end.is_done for end in ends):
            return
        troubles = " ".join(end.trouble for end in ends if end.trouble)
        await self._means.looks.acted(news, troubles or None)
        if news.verdict.kind is VerdictKind.MALICIOUS:
            await self._means.looks.close(news.sha256)

    async def _act_on(self, file: Arrival, verdict: Verdict) -> End:
        match conclude(file, verdict.kind):
            case Conclusion.TAKE_BACK:
                return await self._taking.take_back(file, verdict)
            case Conclusion.CLEARED if self._means.restore is not None:
                return await self._give_back(file, verdict, self._means.restore)
            case Conclusion.CLEARED:
                self._tell.looked_again(Again(file, verdict, Turn.CLEARED))
                await self._taking.note(file, f"{verdict.reason}; it can be restored")
            case Conclusion.CONFIRMED:
                self._tell.looked_again(Again(file, verdict, Turn.CONFIRMED))
                await self._taking.note(file, verdict.reason)
            case _ if file.verdict is not verdict.kind:
                self._tell.looked_again(Again(file, verdict, Turn.NOTHING))
            case _:
                pass
        return End()

    async def _give_back(self, file: Arrival, verdict: Verdict, restore: Restore) -> End:
        place = await restore(file)
        if place is None:
            return End(is_done=False)
        self._tell.looked_again(Again(file, verdict, Turn.RESTORED, place))
        await self._taking.note(file, verdict.reason, State.RESTORED)
        return End()
