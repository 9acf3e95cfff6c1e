from checkfirst.service.steady import BELIEVED_SECONDS, SLIP_SECONDS, Steady
from tests.fakes.clock import FakeClock

MINUTE = 60.0
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


async def test_one_set_ahead_before_the_first_look_is_not_believed_either():
    clock = FakeClock()
    steady = Steady(clock)
    before = clock.now()
    clock.jump(YEAR)
    assert steady.now() == before


async def test_looks_in_quick_succession_do_not_make_it_true():
    clock = FakeClock()
    steady = Steady(clock)
    before = steady.now()
    clock.jump(YEAR)
    assert steady.now() == before
    await clock.advance(BELIEVED_SECONDS - MINUTE)
    assert steady.now() == before + BELIEVED_SECONDS - MINUTE
    await clock.advance(MINUTE)
    assert steady.now() == clock.now()


async def test_what_a_time_server_puts_right_is_believed_at_once():
    clock = FakeClock()
    steady = Steady(clock)
    for _ in range(3):
        clock.jump(SLIP_SECONDS - 1)
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
