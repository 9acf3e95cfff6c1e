import os
import subprocess

import pytest

from checkfirst.model import Sighting, Stamp
from checkfirst.vault.grip import stamp_of
from checkfirst.watch.root import WatchProblem
from checkfirst.watch.telling import Trouble
from tests.watch.watching import do, watchers_threads, write

# As in the package: a folder may come to the watch twice, by its event and by a walk.
pytestmark = pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")


def stamp(path: bytes) -> Stamp:
    return stamp_of(os.stat(path, follow_symlinks=False))


def again(folder: bytes) -> None:
    os.rename(folder, folder + b"-old")
    os.mkdir(folder)


async def test_what_is_there_and_what_comes_is_sighted(bench):
    await do(write, bench.below(b"old\xff"))
    await bench.watch()
    assert bench.sightings.get_nowait() == [Sighting(bench.downloads, bench.below(b"old\xff"))]
    await do(write, bench.below(b"new"))
    assert await bench.sees(bench.below(b"new")) == {bench.below(b"new")}


async def test_existing_files_are_left_and_later_ones_sighted(bench):
    old = await do(write, bench.below(b"old"))
    watcher = await bench.watch(existing="leave")
    assert bench.sightings.empty()
    await do(write, bench.below(b"new"))
    assert await bench.sees(bench.below(b"new")) == {bench.below(b"new")}
    sighting = Sighting(bench.downloads, old)
    seen = await do(stamp, old)
    assert await do(watcher.spares_blocking, sighting, seen)
    asked = Sighting(bench.downloads, old, asked=True)
    assert not await do(watcher.spares_blocking, asked, seen)


async def test_what_came_while_nobody_watched_is_sighted_at_the_next_start(bench):
    await do(write, bench.below(b"old"))
    await bench.watch(existing="leave")
    await bench.close()
    await do(write, bench.below(b"new"))
    await bench.watch(existing="leave")
    assert await bench.sees(bench.below(b"new")) == {bench.below(b"new")}


async def test_forgotten_files_are_sighted_by_the_next_sweep(bench):
    old = await do(write, bench.below(b"old"))
    watcher = await bench.watch(existing="leave")
    await watcher.forget([Sighting(bench.downloads, old)])
    await bench.clock.advance(300)
    assert await bench.sees(old) == {old}


async def test_taking_existing_files_spares_none(bench):
    old = await do(write, bench.below(b"old"))
    await bench.watch(existing="leave")
    await bench.close()
    watcher = await bench.watch(existing="take")
    assert await bench.sees(old) == {old}
    seen = await do(stamp, old)
    assert not await do(watcher.spares_blocking, Sighting(bench.downloads, old), seen)


async def test_a_corrupt_baseline_is_said_and_made_anew(bench):
    await do(write, bench.state + b"/existing.json", b"{")
    await do(write, bench.below(b"old"))
    await bench.watch(existing="leave")
    assert (await bench.told()).trouble is Trouble.NOTICE
    assert bench.sightings.empty()


async def test_a_linked_root_is_watched_where_it_leads(bench):
    link = bench.base + b"/link"
    await do(os.symlink, bench.downloads, link)
    watcher = await bench.watch(link)
    await do(write, bench.below(b"new"))
    await bench.sees(bench.below(b"new"))
    assert [root.path for root in watcher.roots] == [bench.downloads]


async def test_a_deleted_folder_is_told_and_watched_again_once_it_is_back(bench):
    watcher = await bench.watch()
    await do(os.rmdir, bench.downloads)
    event = await bench.told()
    assert (event.trouble, event.folder) == (Trouble.LOST, bench.downloads)
    assert [health.healthy for health in watcher.health()] == [False]
    assert "does not exist" in watcher.health()[0].problem
    await do(os.mkdir, bench.downloads)
    await do(write, bench.below(b"at once"))
    await bench.clock.advance(5)
    assert (await bench.told()).trouble is Trouble.BACK
    await bench.sees(bench.below(b"at once"))
    await do(write, bench.below(b"later"))
    await bench.sees(bench.below(b"later"))
    assert [health.healthy for health in watcher.health()] == [True]


async def test_a_lost_folder_is_told_once(bench):
    watcher = await bench.watch()
    await do(os.rmdir, bench.downloads)
    assert (await bench.told()).trouble is Trouble.LOST
    for _ in range(3):
        await watcher._guards[0]._open_again()
    assert bench.events.empty()


async def test_a_renamed_folder_is_left_for_the_one_that_has_its_path(bench):
    """No event tells of it, and watchdog goes on to report the old path."""
    await bench.watch()
    await do(again, bench.downloads)
    await bench.clock.advance(5)
    assert (await bench.told()).trouble is Trouble.BACK
    await do(write, bench.below(b"new"))
    await bench.sees(bench.below(b"new"))


async def test_a_sweep_that_meets_another_folder_or_none_takes_nothing(bench):
    watcher = await bench.watch()
    await do(os.rename, bench.downloads, bench.base + b"/away")
    await watcher.sweep()
    await do(os.mkdir, bench.downloads)
    await do(write, bench.below(b"stranger"))
    await watcher.sweep()
    assert bench.sightings.empty()
    await bench.clock.advance(5)
    assert (await bench.told()).trouble is Trouble.BACK
    await bench.sees(bench.below(b"stranger"))


async def test_a_dead_observer_is_replaced_and_nothing_new_is_exempt(bench):
    watcher = await bench.watch(existing="leave")
    folder = watcher._guards[0].folder
    await do(folder._watching.stop_blocking)
    missed = await do(write, bench.below(b"missed"))
    await bench.clock.advance(5)
    assert (await bench.told()).trouble is Trouble.BACK
    assert await bench.sees(missed) == {missed}
    await do(write, bench.below(b"next"))
    await bench.sees(bench.below(b"next"))


async def test_a_folder_that_may_no_longer_be_read_is_told(bench):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    await bench.watch()
    await do(os.chmod, bench.downloads, 0)
    await bench.clock.advance(5)
    assert (await bench.told()).trouble is Trouble.LOST


@as_root
async def test_unmounting_and_mounting_are_noticed(bench):
    async def mount():
        command = ["mount", "-t", "tmpfs", "tmpfs", bench.downloads]
        done = await do(subprocess.run, command, capture_output=True)
        if done.returncode != 0:
            pytest.skip("mounting is not allowed here")

    async def unmount():
        await do(subprocess.run, ["umount", bench.downloads], check=True)

    await mount()
    try:
        await bench.watch()
        await do(write, bench.below(b"first"))
        await bench.sees(bench.below(b"first"))
    finally:
        await unmount()
    assert (await bench.told()).trouble is Trouble.BACK  # the folder below the mount
    await do(write, bench.below(b"second"))
    await bench.sees(bench.below(b"second"))
    await mount()
    try:
        await bench.clock.advance(5)
        assert (await bench.told()).trouble is Trouble.BACK
        await do(write, bench.below(b"third"))
        await bench.sees(bench.below(b"third"))
        await bench.close()
    finally:
        await unmount()


async def test_one_missing_folder_does_not_stop_the_others(bench):
    missing = bench.base + b"/missing"
    watcher = await bench.watch(missing, bench.downloads)
    assert (await bench.told()).folder == missing
    assert [health.healthy for health in watcher.health()] == [False, True]
    await do(write, bench.below(b"new"))
    await bench.sees(bench.below(b"new"))
    await do(os.mkdir, missing)
    await bench.clock.advance(5)
    assert (await bench.told()).trouble is Trouble.BACK
    await do(write, missing + b"/new")
    await bench.sees(missing + b"/new")


async def test_no_folder_at_all_is_a_problem(bench):
    with pytest.raises(WatchProblem, match="does not exist"):
        await bench.watch(bench.base + b"/missing")
    assert watchers_threads() == []


async def test_a_polled_folder_is_looked_at_without_any_thread(bench):
    watcher = await bench.watch(watcher="polling")
    assert watchers_threads() == []
    assert watcher.health()[0].watcher == "polling"
    new = await do(write, bench.below(b"new"))
    await bench.clock.advance(2)
    assert await bench.sees(new) == {new}


async def test_polling_tells_only_what_is_new_and_the_sweep_tells_all(bench):
    old = await do(write, bench.below(b"old"))
    await bench.watch(watcher="polling", sweep_every=9.0)
    await bench.sees(old)
    new = await do(write, bench.below(b"new"))
    await bench.clock.advance(2)
    assert await bench.sees(new) == {new}
    await do(os.rename, await do(write, bench.base + b"/fresh"), old)
    await bench.clock.advance(2)
    assert await bench.sees(old) == {old}
    await bench.clock.advance(5.5)
    assert await bench.sees(old, new) == {old, new}


async def test_sub_folders_are_watched_when_asked_and_excluded_ones_are_not(bench):
    released = bench.below(b"Released")

    def tree():
        os.makedirs(bench.below(b"a/b"))
        write(bench.below(b"a/b/file"))
        write(released + b"/let go")

    await do(os.mkdir, released)
    await bench.watch(recursive=True, excluded=frozenset({released}))
    await do(tree)
    seen = await bench.sees(bench.below(b"a/b/file"))
    await do(write, bench.below(b"last"))
    seen |= await bench.sees(bench.below(b"last"))
    assert not any(path.startswith(released) for path in seen)


async def test_very_many_new_folders_are_one_sweep(bench):
    def tree():
        for number in range(400):
            os.mkdir(bench.below(b"%d" % number))
        write(bench.below(b"399/file"))

    await bench.watch(recursive=True)
    await do(tree)
    await bench.sees(bench.below(b"399/file"))


async def test_folders_that_could_not_be_looked_into_are_counted(bench):
    await do(os.makedirs, bench.downloads + b"/d" * 66)
    watcher = await bench.watch(recursive=True)
    assert watcher.health()[0].folders_not_looked_into == 1


async def test_sub_folders_that_are_left_out_are_told_once(bench):
    await do(os.makedirs, bench.below(b"a/b"))
    watcher = await bench.watch()
    told = await bench.told()
    assert told.trouble is Trouble.LEFT_OUT
    assert told.text.startswith("1 sub-folder is not looked into, as intake.recursive is false: ")
    await do(os.mkdir, bench.below(b"c"))
    await watcher.sweep()
    assert watcher.health()[0].folders_left_out == 2
    assert bench.events.empty()


async def test_a_folder_that_can_be_entered_again_is_watched_again(bench):
    """It has no watch, as it could not be had one when the folder above was opened."""
    deep = bench.downloads + b"/d" * 65
    await do(os.makedirs, deep)
    watcher = await bench.watch(recursive=True)
    await do(os.rename, deep, bench.below(b"shallow"))
    await watcher.sweep()
    assert watcher.health()[0].folders_not_looked_into == 0
    await bench.clock.advance(5)
    assert (await bench.told()).trouble is Trouble.BACK


async def test_stopping_leaves_no_threads(bench):
    await bench.watch()
    assert len(watchers_threads()) == 3
    await bench.close()
    assert watchers_threads() == []


async def test_leases_are_told_by_root(bench):
    watcher = await bench.watch()
    assert watcher.leases(bench.downloads)
    assert watcher.leases(b"/anywhere")
    assert watcher.roots[0].path == bench.downloads
