"""The marks that real programs leave on what they load."""

import subprocess
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import malicious
from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import simulator_in_thread
from tests.real.site import BAD, installed, slow_site
from tests.stories.house import House

pytestmark = pytest.mark.real


@pytest.mark.parametrize("tool", ["curl --xattr -o", "wget --xattr -O"])
def test_the_address_is_shown_without_its_query(tmp_path: Path, tool: str):
    program, *options = tool.split()
    service = Simulator(known=[malicious(BAD)], limits=NO_LIMITS)
    with (
        simulator_in_thread(service) as simulator,
        slow_site() as site,
        House(tmp_path / "home", simulator.url).running() as house,
    ):
        command = [installed(program), *options, str(house.downloads / "bad.bin")]
        address = f"{site}/bad.bin?token=s3cret"
        subprocess.run([*command, address], check=True, capture_output=True)
        row = house.until("bad.bin", State.QUARANTINED, seconds=30)
        assert row.origin_url == f"{site}/bad.bin"
        assert "s3cret" not in "".join(house.log())
