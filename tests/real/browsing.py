"""What every browser must show: half files stay where they are, whole ones are judged."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from checkfirst.model import State
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import simulator_in_thread
from tests.real.site import BAD, GOOD, slow_site
from tests.stories.house import House, wait_for

Download = Callable[[str, Path, Path], AbstractContextManager[None]]
"""A browser that downloads an address into a folder, with a new profile of its own."""


def judged_whole(
    home: Path, download: Download, good: str, is_half: Callable[[bytes], bool], seconds: float
) -> set[bytes]:
    """A clean file of the name `good` and a bad one; what is left in the watched folder."""
    service = Simulator(known=[clean(GOOD), malicious(BAD)], limits=NO_LIMITS)
    with simulator_in_thread(service) as simulator, slow_site() as site:
        house = House(home / "home", simulator.url)
        with house.running():
            with download(f"{site}/{good}", house.downloads, home / "one"):
                seen = wait_for(
                    "a half file",
                    lambda: [name for name in house.below_downloads() if is_half(name)],
                    seconds,
                )
                assert seen
                assert house.rows() == []
                house.until(good, State.RELEASED, seconds=seconds)
            with download(f"{site}/bad.bin", house.downloads, home / "two"):
                house.until("bad.bin", State.QUARANTINED, seconds=seconds)
            assert (house.released / good).read_bytes() == GOOD
            (folder,) = house.quarantine.iterdir()
            assert (folder / "payload.quarantined").stat().st_size == len(BAD)
            assert [row.name for row in house.rows()] == [good.encode(), b"bad.bin"]
            return house.below_downloads()
