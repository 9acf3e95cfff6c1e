"""How well the quota is used, and kept, with a backlog and a network that jitters.

The source, the ledger and its database are the real ones; time is not.
"""

import asyncio
import random

import pytest

from checkfirst.model import Question, Risk
from checkfirst.policy.quota import WINDOW, Limits
from checkfirst.sources.virustotal.outside import Outside
from checkfirst.sources.virustotal.reply import Report
from checkfirst.sources.virustotal.rules import Rules
from checkfirst.sources.virustotal.worker import VirusTotal
from checkfirst.store.database import Database
from checkfirst.store.ledger import Ledger
from tests.fakes.clock import FakeClock, settle_loop
from tests.fakes.submissions import FakeSubmissions
from tests.fakes.to_submit import FakeToSubmit

HOURS = 2
ANSWER_WITHIN = 32.0


class Far:
    """VirusTotal at the other end of a network; notes when it sees each request."""

    def __init__(self, clock: FakeClock, longest: float, seed: int) -> None:
        self.clock = clock
        self.longest = longest
        self.random = random.Random(seed)
        self.seen: list[float] = []
        self.took: list[float] = []

    async def report(self, sha256: str) -> Report:
        began = self.clock.monotonic()
        await self.clock.sleep(self.random.uniform(0.0, self.longest))
        self.seen.append(self.clock.monotonic())
        await self.clock.sleep(self.random.uniform(0.0, self.longest))
        self.took.append(self.clock.monotonic() - began)
        return Report(sha256, {"malicious": 0, "undetected": 60}, 1755148850)

    async def close(self) -> None:
        """Nothing is open."""


class Watched(Database):
    """The real one, of which a test can ask whether a transaction is under way."""

    busy = 0

    async def write(self, change):
        self.busy += 1
        try:
            return await super().write(change)
        finally:
            self.busy -= 1


async def rest(database: Watched, clock: FakeClock) -> float:
    """Until nothing goes on without time passing; the seconds until something does."""
    async with asyncio.timeout(10):
        while True:
            await settle_loop()
            if not database.busy and (due := clock.next_due) is not None:
                return due


@pytest.mark.parametrize("longest", [0.0, 0.4, 10.0])
async def test_a_backlog_uses_the_quota_and_never_more_in_any_minute_of_the_servers(
    tmp_path, longest
):
    clock = FakeClock()
    database = await Watched.open(tmp_path / "checkfirst.sqlite", clock)
    far = Far(clock, longest, seed=7)
    answered: list[str] = []

    async def deliver(answer) -> None:
        answered.append(answer.sha256)

    async def remember(_sha256, _verdict) -> None:
        return None

    source = VirusTotal(
        Rules(),
        Outside(
            api=far,
            quota=Ledger(database, clock, Limits(4, 0, 0), ANSWER_WITHIN),
            submissions=FakeSubmissions(),
            to_submit=FakeToSubmit(FakeSubmissions()),
            deliver=deliver,
            remember=remember,
            clock=clock,
            random=lambda: 0.0,
        ),
    )
    questions = [
        Question(f"{n:064x}", 3, Risk.PROGRAM, b"/held/x", clock.now())
        for n in range(HOURS * 60 * 4 + 40)
    ]
    source.ask(questions)
    running = asyncio.create_task(source.run())
    end = clock.monotonic() + HOURS * 3600
    try:
        while clock.monotonic() + (due := await rest(database, clock)) < end:
            await clock.advance(due)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await database.close()
    gaps = [later - earlier for earlier, later in zip(far.seen, far.seen[4:], strict=False)]
    assert min(gaps) >= WINDOW
    mean = sum(far.took) / len(far.took)
    assert len(far.seen) >= 0.98 * 4 * HOURS * 3600 / (WINDOW + mean)
    assert len(set(answered)) == len(answered) >= len(far.seen) - 1
