"""What is tried again, and which of its failures a person hears of."""

from checkfirst.model import Arrival, Sighting, State
from checkfirst.service.retries import Retries
from tests.fakes.clock import FakeClock

ROOT, PATH = b"/d", b"/d/a"
ARRIVAL = Arrival(7, State.LEFT, ROOT, PATH)
SIGHTING = Sighting(ROOT, PATH)


async def _nothing(ids: list[int]) -> None:
    """Nobody looks again."""


def retries() -> Retries:
    return Retries(FakeClock(), _nothing, lambda sighting, seconds: None)


async def test_trouble_is_told_once_and_again_after_it_went_well():
    tried = retries()
    assert [tried.held(7, quiet=False) for _ in range(3)] == [True, False, False]
    assert tried.held(8, quiet=False)
    tried.well(7)
    assert tried.held(7, quiet=False)


async def test_a_quiet_failure_does_not_keep_the_later_trouble_from_being_told():
    tried = retries()
    assert not tried.held(7)
    assert not tried.held(7, quiet=True)
    assert tried.held(7, quiet=False)


async def test_the_same_goes_for_what_could_not_be_taken():
    tried = retries()
    told = [tried.left(ARRIVAL, SIGHTING, quiet=quiet) for quiet in (True, False, False)]
    assert told == [False, True, False]
    tried.taken(ARRIVAL)
    assert tried.left(ARRIVAL, SIGHTING, quiet=False)
    assert tried.give_up([PATH]) == [7]
    assert tried.left(ARRIVAL, SIGHTING, quiet=False)


async def test_what_cannot_be_moved_is_a_trouble_until_it_can():
    tried = retries()
    tried.held(1, quiet=True, undone="somebody writes")
    assert tried.troubles() == []
    for number in range(1, 9):
        tried.held(number, quiet=False, undone=f"no room for {number}")
    assert tried.troubles() == [
        "no room for 1",
        "no room for 2",
        "no room for 3",
        "5 more files cannot be moved",
    ]
    for number in range(2, 9):
        tried.well(number)
    assert tried.troubles() == ["no room for 1"]
