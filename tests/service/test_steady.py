from checkfirst.service.steady import Steady
from tests.fakes.clock import FakeClock

HOUR = 3600.0
YEAR = 365 * 86_400.0


async def test_it_goes_with_the_clock():
    clock = FakeClock()
    steady = Steady(clock)
    assert steady.now() == clock.now()
    await clock.advance(HOUR)
    assert steady.now() == clock.now()


async def test_a_clock_set_ahead_is_believed_when_it_still_says_so():
    clock = FakeClock()
    steady = Steady(clock)
    before = steady.now()
    await clock.advance(HOUR)
    clock.jump(YEAR)
    assert steady.now() == before + HOUR
    await clock.advance(HOUR)
    assert steady.now() == clock.now()


async def test_a_slip_that_is_put_right_was_never_believed():
    clock = FakeClock()
    steady = Steady(clock)
    steady.now()
    clock.jump(YEAR)
    seen = [steady.now()]
    await clock.advance(HOUR / 2)
    clock.jump(-YEAR)
    seen.append(steady.now())
    await clock.advance(HOUR)
    seen.append(steady.now())
    assert max(seen) == clock.now()


async def test_a_clock_set_back_is_believed_at_once():
    clock = FakeClock()
    steady = Steady(clock)
    steady.now()
    clock.jump(-YEAR)
    assert steady.now() == clock.now()
