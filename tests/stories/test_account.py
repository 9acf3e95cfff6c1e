"""What the account may ask for is learned from VirusTotal, where the settings name it."""

import json
from pathlib import Path

import pytest

from checkfirst.simulator.quota import Account, Limits
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import simulator_in_thread
from tests.stories.house import House
from tests.stories.test_deeds import says

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]


def test_status_shows_the_narrower_limits(home: Path):
    served = Simulator(keys={"demo": Account("ann", Limits(60, 7, 31))})
    mine = {"account": "ann", "per_day": 500, "per_month": 20}
    with (
        simulator_in_thread(served) as simulator,
        House(home, simulator.url, virustotal=mine).running() as house,
    ):
        assert "60 a minute, 7 a day, 31 a month" in house.until_said("account", "allows")
        quota = json.loads(says(house, "status", "--json"))["quota"]
        assert [quota[span]["limit"] for span in ("minute", "day", "month")] == [60, 7, 20]
        assert quota["day"]["used"] == 1
        assert "demo" not in "".join(request.path for request in simulator.requests)
