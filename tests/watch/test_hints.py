import asyncio

from checkfirst.watch.hints import Heard, Hints


class Ear:
    def __init__(self, **settings) -> None:
        chosen = {"recursive": True, "excluded": frozenset(), **settings}
        self.heard: asyncio.Queue[Heard] = asyncio.Queue()
        self.hints = Hints(asyncio.get_running_loop(), self.heard.put_nowait, **chosen)

    async def next(self) -> Heard:
        async with asyncio.timeout(5):
            return await self.heard.get()


async def test_a_burst_is_one_callback_with_each_path_once():
    ear = Ear()

    for _ in range(3):
        for number in range(1000):
            ear.hints.path(b"/d/%d" % number, folder=False)
    heard = await ear.next()
    assert heard.files == tuple(b"/d/%d" % number for number in range(1000))
    assert ear.heard.empty()


async def test_it_is_armed_anew_after_each_callback():
    ear = Ear()
    for name in (b"/d/a", b"/d/b"):
        ear.hints.path(name, folder=False)
        assert (await ear.next()).files == (name,)


async def test_folders_overflow_and_loss_are_told_apart():
    ear = Ear()
    ear.hints.path(b"/d/sub", folder=True)
    ear.hints.overflowed()
    ear.hints.lost()
    assert await ear.next() == Heard((), (b"/d/sub",), overflowed=True, lost=True)
    ear.hints.path(b"/d/a", folder=False)
    assert await ear.next() == Heard((b"/d/a",), (), overflowed=False, lost=False)


async def test_folders_mean_nothing_where_they_are_not_entered():
    ear = Ear(recursive=False)
    ear.hints.path(b"/d/sub", folder=True)
    ear.hints.path(b"/d/file", folder=False)
    assert (await ear.next()).folders == ()


async def test_what_happens_in_excluded_folders_is_not_told():
    ear = Ear(excluded=frozenset({b"/d/Released"}))
    ear.hints.path(b"/d/Released", folder=True)
    ear.hints.path(b"/d/Released/file", folder=False)
    ear.hints.path(b"/d/sub/.checkfirst-held/1/file", folder=False)
    ear.hints.path(b"/d/Released2", folder=False)
    assert (await ear.next()).files == (b"/d/Released2",)


async def test_a_lock_held_elsewhere_does_not_make_the_loop_wait():
    ear = Ear()
    ear.hints.path(b"/d/a", folder=False)
    ear.hints._lock.acquire(blocking=False)
    for _ in range(5):
        await asyncio.sleep(0)
    assert ear.heard.empty()
    ear.hints._lock.release()
    assert (await ear.next()).files == (b"/d/a",)


async def test_nothing_is_told_after_closing():
    ear = Ear()
    ear.hints.path(b"/d/a", folder=False)
    ear.hints.close()
    for _ in range(5):
        await asyncio.sleep(0)
    assert ear.heard.empty()


def test_a_closed_loop_raises_nothing_into_the_thread():
    loop = asyncio.new_event_loop()
    heard = []
    hints = Hints(loop, heard.append, recursive=False, excluded=frozenset())
    loop.close()
    hints.path(b"/d/a", folder=False)
    hints.overflowed()
    assert heard == []
