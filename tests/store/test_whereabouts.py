from checkfirst.model import Arrival, State
from checkfirst.store.journal import Journal
from checkfirst.store.whereabouts import whereabouts

A, B = "aa" * 32, "bb" * 32


async def test_all_that_is_still_here_is_found_the_newest_first(database):
    rows = [Arrival(0, state, b"/w", b"/w/a", sha256=A) for state in State]
    await Journal(database, "1:1").adopt([*rows, Arrival(0, State.HELD, b"/w", b"/w/b", sha256=B)])
    found = [each.state for each in await whereabouts(database, A)]
    assert found == [
        state for state in reversed(State) if state not in {State.DELETED, State.GONE, State.LEFT}
    ]
