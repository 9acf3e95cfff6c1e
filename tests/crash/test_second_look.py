"""The daemon is killed while it takes back a file that VirusTotal has changed its mind about."""

import hashlib
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import malicious
from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import simulator_in_thread
from tests.crash.test_failpoints import Killed
from tests.stories.house import wait_for

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180)]

CONTENT = b"MZ new malware"


class Once(Killed):
    """Looks again every second."""

    def __init__(self, home: Path, url: str) -> None:
        super().__init__(home, url)
        self.change(recheck={"for": "1h", "every": "1s"})


@pytest.mark.parametrize(
    "point",
    [
        "hold.grasped",
        "hold.slot",
        "hold.renamed",
        "quarantine.folder",
        "quarantine.named",
        "quarantine.moved",
    ],
)
def test_the_next_daemon_takes_it_back(tmp_path: Path, point: str):
    with simulator_in_thread(Simulator(keys=["demo"], limits=NO_LIMITS)) as simulator:
        house = Once(tmp_path / "home", simulator.url)
        with house.running():
            house.drop("tool.exe", CONTENT)
            house.until("tool.exe", State.RELEASED)
        simulator.add(malicious(CONTENT))
        house.point = point
        house.launch()  # it may die before it says that it is ready
        try:
            wait_for(f"it is dead at {point}", lambda: house.is_dead)
            house.forget()
        finally:
            house.kill()
        house.point = None
        with house.running():
            row = house.until("tool.exe", State.QUARANTINED)
            assert row.sha256 == hashlib.sha256(CONTENT).hexdigest()
            wait_for("the first row tells of it", lambda: "taken" in (house.rows()[0].reason or ""))
        assert not (house.released / "tool.exe").exists()
        (folder,) = house.quarantine.iterdir()
        assert (folder / "payload.quarantined").stat().st_size == len(CONTENT)
        states = {each.state for each in house.rows()}
        assert states <= {State.RELEASED, State.QUARANTINED, State.LEFT, State.GONE}
        assert [each.state for each in house.rows()].count(State.QUARANTINED) == 1
