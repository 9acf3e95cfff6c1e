"""A disk or server that does not answer holds up nobody but its own folder."""

import asyncio
import os

from checkfirst.watch.telling import Trouble
from tests.watch.hung import hung
from tests.watch.watching import do, write


async def test_a_folder_that_does_not_answer_is_told_and_the_others_go_on(bench):
    other = bench.base + b"/other"
    await do(os.mkdir, other)
    watcher = await bench.watch(bench.downloads, other, answer_within=0.3)
    silence = hung(bench.downloads)
    await do(silence.__enter__)
    try:
        await bench.clock.advance(5)
        event = await bench.told()
        assert (event.trouble, event.folder) == (Trouble.LOST, bench.downloads)
        silent, fine = watcher.health()
        assert "does not answer" in silent.problem
        assert (silent.healthy, fine.healthy) == (False, True)
        await do(os.rename, other, bench.base + b"/moved")
        await do(os.mkdir, other)
        await bench.clock.advance(5)
        event = await bench.told()
        assert (event.trouble, event.folder) == (Trouble.BACK, other)
        await do(write, other + b"/file")
        await bench.sees(other + b"/file")
    finally:
        await do(silence.__exit__, None, None, None)
    await asyncio.sleep(0)
    await do(write, bench.below(b"in the meantime"))
    await bench.clock.advance(5)
    while (event := await bench.told()).folder != bench.downloads:
        pass
    assert event.trouble is Trouble.BACK
    await bench.sees(bench.below(b"in the meantime"))
    assert [folder.healthy for folder in watcher.health()] == [True, True]
