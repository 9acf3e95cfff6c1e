"""A payload that is not what was quarantined: it stays, and nothing is allowed for it."""

import subprocess
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.corpus import EICAR
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import House

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]


def test_a_tampered_payload_is_not_restored_and_its_hash_not_allowed(
    home: Path, simulator: Elsewhere
):
    with House(home, simulator.url).running() as house:
        house.drop("eicar.com", EICAR)
        row = house.until("eicar.com", State.QUARANTINED)
        (payload,) = house.quarantine.glob("*/payload.quarantined")
        payload.chmod(0o600)
        payload.write_bytes(b"something else")
        for to in ([], ["--to", str(house.quarantine)]):
            done = subprocess.run(
                [*house.command[:-1], "quarantine", "restore", str(row.id), *to],
                env=house.environment,
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
            assert done.returncode == 3, done.stdout
        assert house.rows()[-1].state is State.QUARANTINED
        assert payload.exists()
        house.drop("again.com", EICAR)
        house.until("again.com", State.QUARANTINED)
