"""Trouble that lasts is told ever more seldom, and news is told at once."""

from checkfirst.service.reminders import OVER_SECONDS, Reminders
from tests.fakes.clock import FakeClock


async def test_what_lasts_for_a_day_is_told_a_few_dozen_times_with_how_long():
    clock = FakeClock()
    reminders, told = Reminders(clock), []
    for _ in range(24 * 60 * 2):
        if (more := reminders.met("no room")) is not None:
            told.append(more)
        await clock.advance(30)
    assert told[:4] == [
        "",
        " (for 1 minute now)",
        " (for 3 minutes now)",
        " (for 7 minutes now)",
    ]
    assert told[-1] == " (for 23 hours now)"
    assert len(told) == 29


async def test_another_trouble_and_one_that_comes_again_are_news():
    clock = FakeClock()
    reminders = Reminders(clock)
    assert reminders.met("no room") == ""
    assert reminders.met("busy") == ""
    await clock.advance(1)
    assert reminders.met("no room") is None
    await clock.advance(OVER_SECONDS + 1)
    assert reminders.met("no room") == ""
