from checkfirst.store.wanted import Wanted


async def test_what_is_asked_for_stays_until_it_is_done(database):
    wanted = Wanted(database)
    await wanted.ask([b"/b\xff", b"/c"], 1.0)
    await wanted.ask([b"/a"], 2.0)
    await wanted.ask([b"/c"], 3.0)
    assert await wanted.all() == [b"/b\xff", b"/a", b"/c"]
    await wanted.done([b"/b\xff", b"/c", b"/d"])
    assert await wanted.all() == [b"/a"]
