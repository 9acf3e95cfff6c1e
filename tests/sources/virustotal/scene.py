"""The source at work among fakes, for the tests of its parts together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from checkfirst.model import Answer, Question, Risk, Verdict
from checkfirst.policy.quota import Limits
from checkfirst.sources.virustotal.outside import Find, Outside, find_nothing
from checkfirst.sources.virustotal.reply import Failure, FailureKind, Reach, Report
from checkfirst.sources.virustotal.rules import Rules
from checkfirst.sources.virustotal.worker import VirusTotal
from tests.fakes.clock import FakeClock, settle_loop
from tests.fakes.ledger import NO_LIMITS, FakeLedger
from tests.fakes.submissions import FakeSubmissions
from tests.fakes.to_submit import FakeToSubmit
from tests.fakes.virustotal import FakeApi

STATS_CLEAN = {"malicious": 0, "undetected": 60}
STATS_BAD = {"malicious": 9, "undetected": 51}

UNREACHABLE = Failure(FailureKind.RETRY, "Dns", "no such host", Reach.UNSENT)
DROPPED = Failure(FailureKind.RETRY, "Dropped", "the connection was closed", Reach.SENT)
HICCUP = Failure(FailureKind.RETRY, "TransientError", "try again")
THROTTLED = Failure(FailureKind.THROTTLED, "QuotaExceededError", "Quota exceeded")
KEY_REFUSED = Failure(FailureKind.KEY_REFUSED, "WrongCredentialsError", "Wrong API key")
NO_KEY = Failure(FailureKind.KEY_REFUSED, "NoKey", "there is no API key", Reach.UNSENT)
REFUSED = Failure(FailureKind.REFUSED, "BadRequestError", "no")
TOO_LARGE = Failure(FailureKind.TOO_LARGE, "413", "too large")
NAMELESS = Failure(FailureKind.UNPROVEN, "NotFoundError", "it names no file", Reach.SENT)
CHANGED = Failure(FailureKind.CHANGED, "Changed", "changed", Reach.SENT)


def sha(letter: str) -> str:
    return letter * 64


def clean(letter: str = "a") -> Report:
    return Report(sha(letter), STATS_CLEAN, 1755148850)


def bad(letter: str = "a") -> Report:
    return Report(sha(letter), STATS_BAD, 1755148850, ("E: Trojan",))


def pending(letter: str = "a") -> Report:
    return Report(sha(letter), None, None)


class Scene:
    """Everything around the source; the clock stands until a test moves it."""

    def __init__(self, rules: Rules | None = None, limits: Limits = NO_LIMITS) -> None:
        self.clock = FakeClock()
        self.api = FakeApi()
        self.ledger = FakeLedger(self.clock, limits)
        self.submissions = FakeSubmissions()
        self.to_submit = FakeToSubmit(self.submissions)
        self.find: Find = find_nothing
        self.delivered: list[Answer] = []
        self.remembered: dict[str, Verdict] = {}
        self.events: list[object] = []
        self.deliver_raises: list[Exception] = []
        self.on_deliver: Callable[[Answer], Awaitable[None]] | None = None
        self.source = self.anew(rules or Rules())

    def anew(self, rules: Rules) -> VirusTotal:
        """A source that knows nothing, as after a restart."""
        self.source = VirusTotal(
            rules,
            Outside(
                api=self.api,
                quota=self.ledger,
                submissions=self.submissions,
                to_submit=self.to_submit,
                deliver=self._deliver,
                remember=self._remember,
                clock=self.clock,
                random=lambda: 0.0,
                on_event=self.events.append,
                find=self._find,
            ),
        )
        return self.source

    def question(self, letter: str = "a", **more) -> Question:
        plain = Question(sha(letter), 3, Risk.PROGRAM, b"/held/none", self.clock.now())
        return replace(plain, **more)

    def ask(self, *letters: str, **more) -> None:
        self.source.ask([self.question(letter, **more) for letter in letters or "a"])

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        task = asyncio.create_task(self.source.run())
        try:
            yield
        finally:
            if task.done():
                await task
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def run_until_it_fails(self) -> Exception:
        try:
            async with asyncio.timeout(5):
                await self.source.run()
        except Exception as error:  # noqa: BLE001
            return error
        raise AssertionError("it came back without an error")

    async def settle(self) -> None:
        """Let everything come to rest that can without time passing.

        Files are opened in threads; here in one, so that waiting for it means waiting for all.
        """
        for _ in range(10):
            await settle_loop(5)
            await asyncio.to_thread(lambda: None)

    async def after(self, seconds: float) -> None:
        """Let time pass, giving threads their time at each moment at which something is due."""
        end = self.clock.monotonic() + seconds
        await self.settle()
        while (left := end - self.clock.monotonic()) > 0:
            due = self.clock.next_due
            await self.clock.advance(left if due is None else min(due, left))
            await self.settle()

    def kinds(self) -> list[tuple[str, str]]:
        return [(one.sha256[0], one.verdict.kind.value) for one in self.delivered]

    def events_of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    async def _find(self, sha256: str) -> int | None:
        return await self.find(sha256)

    async def _deliver(self, answer: Answer) -> None:
        if self.on_deliver is not None:
            await self.on_deliver(answer)
        if self.deliver_raises:
            raise self.deliver_raises.pop(0)
        self.delivered.append(answer)

    async def _remember(self, sha256: str, verdict: Verdict) -> None:
        self.remembered[sha256] = verdict
