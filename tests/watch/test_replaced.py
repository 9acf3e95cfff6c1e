"""Another folder takes the place of a watched one: what was in it stays, what came since is new."""

import os
import time

from checkfirst.watch.telling import Trouble
from tests.watch.watching import do, write

APART = 0.05
"""Seconds between two files, more than the kernel's clock for files is coarse."""


def write_later(path: bytes) -> bytes:
    time.sleep(APART)
    return write(path)


async def seen_after_replacing(bench, replace, *expected: bytes) -> set[bytes]:
    await do(replace)
    await bench.clock.advance(5)
    assert (await bench.told()).trouble is Trouble.BACK
    last = await do(write, bench.below(b"last"))
    seen = await bench.sees(last, *expected)
    await bench.watcher.sweep()
    return seen | await bench.sees(last)


async def watch_since_a_moment_ago(bench) -> None:
    """The clock says what the filesystem says, plus what a file's time may lag behind."""
    bench.clock.jump(time.time() + 1.0 + APART / 2 - bench.clock.now())
    await bench.watch(existing="leave")


async def test_what_came_into_the_new_folder_before_anybody_noticed_is_sighted(bench):
    def replace():
        os.rename(bench.downloads, bench.base + b"/away")
        os.rename(bench.base + b"/other", bench.downloads)
        write_later(bench.below(b"downloaded"))

    await do(os.mkdir, bench.base + b"/other")
    await do(write, bench.base + b"/other/there before")
    await watch_since_a_moment_ago(bench)
    seen = await seen_after_replacing(bench, replace, bench.below(b"downloaded"))
    assert seen == {bench.below(b"downloaded"), bench.below(b"last")}


async def test_what_was_exempt_stays_so_when_it_moves_along(bench):
    def replace():
        time.sleep(APART)
        os.rename(bench.downloads, bench.base + b"/away")
        os.mkdir(bench.downloads)
        os.rename(bench.base + b"/away/old", bench.below(b"old"))
        write(bench.below(b"copy"))

    await do(write, bench.below(b"old"))
    await watch_since_a_moment_ago(bench)
    seen = await seen_after_replacing(bench, replace, bench.below(b"copy"))
    assert seen == {bench.below(b"copy"), bench.below(b"last")}
