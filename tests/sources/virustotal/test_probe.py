import pytest

from checkfirst.policy.quota import Limits
from checkfirst.sources.virustotal.probe import EICAR, Standing, probe
from checkfirst.sources.virustotal.reply import NotKnown
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import NO_LIMITS, FakeLedger
from tests.fakes.virustotal import FakeApi
from tests.sources.virustotal.scene import (
    DROPPED,
    KEY_REFUSED,
    NO_KEY,
    REFUSED,
    THROTTLED,
    UNREACHABLE,
    clean,
)

DATE = 1_764_000_100.0


async def probed(reply, limits=NO_LIMITS, before=0):
    clock = FakeClock()
    ledger = FakeLedger(clock, limits)
    for _ in range(before):
        await ledger.answered(await ledger.acquire())
    api = FakeApi()
    api.script["report"] = [reply]
    return await probe(api, ledger, clock.now, lambda: DATE), ledger, api


@pytest.mark.parametrize(
    ("reply", "standing", "counted"),
    [
        (clean(), Standing.ACCEPTED, 1),
        (NotKnown(), Standing.UNREACHABLE, 1),
        (KEY_REFUSED, Standing.REFUSED, 1),
        (THROTTLED, Standing.QUOTA, 1),
        (DROPPED, Standing.UNREACHABLE, 1),
        (REFUSED, Standing.UNREACHABLE, 1),
        (UNREACHABLE, Standing.UNREACHABLE, 0),
        (NO_KEY, Standing.UNREACHABLE, 0),
    ],
)
async def test_one_request_tells_how_the_key_stands_and_costs_one_slot(reply, standing, counted):
    found, ledger, api = await probed(reply)
    assert found.standing is standing
    assert api.calls == [("report", EICAR)]
    assert (ledger.counted, ledger.open) == (counted, {})
    assert (found.asked_at is not None) == bool(counted)


async def test_a_spent_quota_sends_nothing_and_says_until_when():
    found, _, api = await probed(clean(), Limits(1, 0, 0), before=1)
    assert found.standing is Standing.QUOTA
    assert found.until == FakeClock().now() + 60
    assert "minute" in found.message
    assert api.calls == []


async def test_the_server_s_clock_is_handed_on():
    found, _, _ = await probed(clean())
    assert found.server_time == DATE
