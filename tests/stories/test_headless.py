"""Notifications are wished for, and there is no desktop at all."""

from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import malicious
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import House

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]


class Headless(House):
    """A house without a desktop, as in a container or over ssh."""

    @property
    def environment(self) -> dict[str, str]:
        desktop = {"DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "INVOCATION_ID"}
        return {k: v for k, v in super().environment.items() if k not in desktop}


def test_a_machine_without_a_desktop_works_as_well_and_says_so_once(
    home: Path, simulator: Elsewhere
):
    simulator.add(malicious(b"bad"))
    notify = {"desktop": True, "level": "all", "open_report": True}
    with Headless(home, simulator.url, notify=notify).running() as house:
        house.until_said("notify", "no notifications are shown: ")
        house.drop("bad", b"bad")
        house.drop("good", b"good")
        house.until("bad", State.QUARANTINED)
        house.until("good", State.RELEASED)
        house.until_said("notify", "There is no desktop to open it on")
        assert house.snapshot().problems == ()
        house.stop()
        assert len(house.log("notify")) == 2
