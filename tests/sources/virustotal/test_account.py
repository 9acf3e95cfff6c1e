import asyncio
import contextlib

import pytest
from pydantic import SecretStr

from checkfirst.policy.quota import Limits
from checkfirst.simulator import faults
from checkfirst.simulator.quota import Account as Served
from checkfirst.simulator.quota import Limits as ServedLimits
from checkfirst.simulator.server import Simulator
from checkfirst.sources.virustotal.account import DAILY, Account
from checkfirst.sources.virustotal.client import Client
from checkfirst.sources.virustotal.events import Learned, Problem
from checkfirst.sources.virustotal.replies import Answered, read_quotas
from checkfirst.sources.virustotal.reply import Allowed, Failure, FailureKind, NotKnown, Reach
from tests.fakes.clock import FakeClock, settle_loop
from tests.fakes.ledger import NO_LIMITS, FakeLedger

FORBIDDEN = Failure(FailureKind.KEY_REFUSED, "ForbiddenError", "no")
WRONG_KEY = Failure(FailureKind.KEY_REFUSED, "WrongCredentialsError", "no")
AWAY = Failure(FailureKind.RETRY, "Dns", "no such host", Reach.UNSENT)
PUBLIC = Limits(4, 500, 15_500)


class Quotas:
    """Says what a test has put into its mouth, the last word for ever."""

    def __init__(self, *replies) -> None:
        self.replies = list(replies)
        self.asked: list[str] = []

    async def quotas(self, account: str):
        self.asked.append(account)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    async def close(self) -> None:
        """Nothing is open."""


class Scene:
    def __init__(self, *replies, limits=NO_LIMITS) -> None:
        self.clock = FakeClock()
        self.api = Quotas(*replies)
        self.ledger = FakeLedger(self.clock, limits)
        self.learned: list[Limits] = []
        self.events: list[object] = []
        self.account = Account(
            name="ann",
            api=self.api,
            quota=self.ledger,
            learn=self._learn,
            clock=self.clock,
            on_event=self.events.append,
        )

    async def _learn(self, limits: Limits) -> bool:
        is_news = limits not in self.learned
        self.learned.append(limits)
        return is_news

    @contextlib.asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.account.run())
        try:
            await settle_loop()
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_it_asks_at_start_and_daily_and_tells_what_is_news():
    scene = Scene(Allowed(PUBLIC), Allowed(PUBLIC), Allowed(Limits(1, 1, 31)))
    async with scene.running():
        assert scene.api.asked == ["ann"]
        await scene.clock.advance(DAILY - 1)
        assert len(scene.api.asked) == 1
        await scene.clock.advance(2)
        await scene.clock.advance(DAILY)
    assert scene.learned == [PUBLIC, PUBLIC, Limits(1, 1, 31)]
    assert scene.events == [Learned(PUBLIC), Learned(Limits(1, 1, 31))]
    assert scene.ledger.counted == 3


async def test_it_waits_for_its_turn_like_any_request():
    scene = Scene(Allowed(PUBLIC), limits=Limits(1, 0, 0))
    permit = await scene.ledger.acquire()
    await scene.ledger.answered(permit)
    async with scene.running():
        assert scene.api.asked == []
        await scene.clock.advance(61)
    assert len(scene.api.asked) == 1


@pytest.mark.parametrize("failure", [AWAY, WRONG_KEY, Failure(FailureKind.RETRY, "503", "hm")])
async def test_a_failure_is_tried_again_ever_more_seldom_and_troubles_nobody(failure):
    scene = Scene(failure)
    async with scene.running():
        await scene.clock.advance(24 * 3600 - 1)
    assert 24 <= len(scene.api.asked) <= 32
    assert scene.events == scene.learned == []
    assert scene.ledger.counted == (0 if failure is AWAY else len(scene.api.asked))


@pytest.mark.parametrize("reply", [FORBIDDEN, NotKnown()])
async def test_an_account_that_is_not_the_keys_own_is_told(reply):
    scene = Scene(reply)
    async with scene.running():
        await scene.clock.advance(DAILY / 2)
    (problem,) = scene.events
    assert isinstance(problem, Problem)
    assert "`ann`" in problem.text
    assert "virustotal.account" in problem.text
    assert len(scene.api.asked) == 1


async def test_the_simulator_tells_an_account_its_own_limits_and_nobody_elses():
    keys = {"k": Served("ann", ServedLimits(60, 7, 31)), "other": Served("bob")}
    async with Simulator(keys=keys).serve() as simulator:
        client = Client(simulator.url, lambda: SecretStr("k"), 5.0)
        try:
            assert await client.quotas("ann") == Allowed(Limits(60, 7, 31))
            refused = await client.quotas("bob")
            assert isinstance(refused, Failure)
            assert refused.code == "ForbiddenError"
            simulator.faults.next(faults.html())
            assert isinstance(await client.quotas("ann"), Failure)
        finally:
            await client.close()
        assert all("k" not in request.path.split("/") for request in simulator.requests)


@pytest.mark.parametrize(
    ("body", "limits"),
    [
        ("{}", (0, 0, 0)),
        ('{"api_requests_daily": {"user": {"allowed": 500, "used": 3}}}', (0, 500, 0)),
        ('{"api_requests_hourly": {"user": {"allowed": 30}}}', (1, 0, 0)),
        (
            '{"api_requests_daily": {"user": {"allowed": 500}, "group": {"allowed": 90}}}',
            (0, 90, 0),
        ),
        ('{"api_requests_daily": {"group": {"allowed": 90}}}', (0, 90, 0)),
        ('{"api_requests_daily": {"user": {"allowed": 0}}}', (0, 0, 0)),
        ('{"api_requests_daily": {"user": {"allowed": -5}}}', (0, 0, 0)),
        ('{"api_requests_daily": {"user": {"allowed": "many"}}}', (0, 0, 0)),
        ('{"api_requests_daily": [], "api_requests_monthly": null}', (0, 0, 0)),
    ],
)
def test_what_is_not_told_or_makes_no_sense_narrows_nothing(body, limits):
    answered = Answered(200, "application/json", f'{{"data": {body}}}'.encode())
    assert read_quotas(answered) == Allowed(Limits(*limits))


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"data": []}', b'{"data": null}', b"no"])
def test_what_has_another_form_is_a_failure(body):
    assert isinstance(read_quotas(Answered(200, "application/json", body)), Failure)
