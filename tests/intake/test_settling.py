import asyncio
import mmap
import os
import shutil
import socket
import tempfile
import threading
import time
from dataclasses import replace

import pytest

from checkfirst.intake.settling import HANDED_AT_ONCE, LOOKED_AT_ONCE
from checkfirst.model import Sighting
from tests.intake.settling_bench import RULES, Line, do, write
from tests.watch.hung import hung


async def test_a_quiet_file_settles_after_the_quiet_time(folder):
    async with Line(folder) as line:
        await do(write, line.below(b"file\xff\n"))
        await line.sight(b"file\xff\n")
        await line.passes(1.999)
        assert line.names == []
        assert line.settling.pending() == 1
        await line.passes(0.001)
        assert line.names == [b"file\xff\n"]
        assert line.settled[0].leased is True
        assert line.settled[0].stamp.size == 7
        assert line.settling.pending() == 0


async def test_a_change_begins_the_quiet_time_anew(folder):
    async with Line(folder) as line:
        await do(write, line.below(b"file"))
        await line.sight(b"file")
        await line.passes(1.5)
        await do(write, line.below(b"file"), b"longer than before")
        await line.sight(b"file")
        await line.passes(1.9)
        assert line.names == []
        await line.passes(0.1)
        assert line.names == [b"file"]


@pytest.mark.parametrize("kind", ["gone", "pipe", "socket", "link", "folder"])
async def test_what_is_no_regular_file_is_never_handed_on(folder, kind):
    path = folder + b"/it"
    with socket.socket(socket.AF_UNIX) as listening:
        await do(
            {
                "gone": lambda: None,
                "pipe": lambda: os.mkfifo(path),
                "socket": lambda: listening.bind(path),
                "link": lambda: os.symlink(write(folder + b"/target"), path),
                "folder": lambda: os.mkdir(path),
            }[kind]
        )
        async with Line(folder) as line:
            await line.sight(b"it")
            assert line.settling.pending() == 0
            await line.passes(10)
            assert line.names == []


async def test_an_empty_file_waits_until_it_grows(folder):
    async with Line(folder) as line:
        await do(write, line.below(b"file"), b"")
        await line.sight(b"file")
        await line.passes(3600)
        assert line.names == []
        await do(write, line.below(b"file"))
        await line.sight(b"file")
        await line.passes(2)
        assert line.names == [b"file"]


async def test_what_may_lie_about_for_days_is_not_expected(folder):
    async with Line(folder) as line:
        for name in (b"a.part", b"b.part", b"empty"):
            await do(write, line.below(name), b"" if name == b"empty" else b"begun")
        await line.sight(b"a.part", b"b.part", b"empty")
        await line.passes(60)
        await do(write, line.below(b"file"))
        await line.sight(b"file")
        assert line.expected[-1] == 1


async def test_a_file_that_grows_without_any_hint_settles_too(folder):
    async with Line(folder) as line:
        await do(write, line.below(b"file"), b"")
        await line.sight(b"file")
        await line.passes(10)
        await do(write, line.below(b"file"))
        await line.passes(20)
        assert line.names == [b"file"]


async def test_spared_files_are_let_go_at_once(folder):
    async with Line(folder) as line:
        line.spared.add(await do(write, line.below(b"old")))
        await line.sight(b"old")
        assert line.settling.pending() == 0


async def test_ignored_names_are_let_go_at_once(folder):
    async with Line(folder, replace(RULES, ignore=("*.torrent",))) as line:
        await do(write, line.below(b"x.torrent"))
        await line.sight(b"x.torrent")
        assert line.settling.pending() == 0


async def test_temporary_names_are_postponed_and_expire(folder):
    async with Line(folder) as line:
        for name in (b"a.part", b"~b.tmp"):
            await do(write, line.below(name))
        await line.sight(b"a.part", b"~b.tmp")
        await line.passes(599)
        assert line.names == []
        await line.passes(1)
        assert line.names == [b"~b.tmp"]
        await line.passes(7 * 86400)
        assert line.names == [b"~b.tmp", b"a.part"]


async def test_a_folder_that_is_temporary_as_a_whole_postpones_what_is_in_it(folder):
    async with Line(folder) as line:
        await do(os.mkdir, line.below(b"x.download"))
        await do(write, line.below(b"x.download/x.bin"))
        await line.sight(b"x.download/x.bin")
        await line.passes(3600)
        assert line.names == []


async def test_what_may_lie_about_for_days_is_not_pending(folder):
    async with Line(folder) as line:
        await do(write, line.below(b"empty"), b"")
        await do(write, line.below(b"download.part"))
        await line.sight(b"empty")
        await line.sight(b"download.part")
        assert line.settling.pending() == 2
        await line.passes(3)
        assert line.settling.pending() == 0
        await do(write, line.below(b"download.part"), b"more of it than before")
        await line.sight(b"download.part")
        assert line.settling.pending() == 1


async def test_an_open_writer_holds_it_back_and_its_close_lets_it_go_at_once(folder):
    async with Line(folder) as line:
        path = await do(write, line.below(b"file"))
        descriptor = await do(os.open, path, os.O_WRONLY)
        await line.sight(b"file")
        await line.passes(60)
        assert line.names == []
        await do(os.close, descriptor)
        await line.sight(b"file")
        assert line.names == [b"file"]


async def test_a_writer_that_closes_unnoticed_is_found_within_ten_seconds(folder):
    async with Line(folder) as line:
        path = await do(write, line.below(b"file"))
        descriptor = await do(os.open, path, os.O_WRONLY)
        await line.sight(b"file")
        await line.passes(60)
        await do(os.close, descriptor)
        await line.passes(10)
        assert line.names == [b"file"]


async def test_a_writable_mapping_holds_it_back_after_the_close(folder):
    def mapped(path):
        with open(path, "r+b") as file:
            return mmap.mmap(file.fileno(), 0)

    async with Line(folder) as line:
        mapping = await do(mapped, await do(write, line.below(b"file")))
        await line.sight(b"file")
        await line.passes(30)
        assert line.names == []
        await do(mapping.close)
        await line.passes(10)
        assert line.names == [b"file"]


async def test_after_ten_minutes_the_holder_is_a_problem_with_a_name(folder):
    async with Line(folder) as line:
        path = await do(write, line.below(b"file\n"))
        descriptor = await do(os.open, path, os.O_WRONLY)
        await line.sight(b"file\n")
        await line.passes(600)
        assert line.settling.problems() == []
        await line.passes(15)
        (problem,) = line.settling.problems()
        assert r"file\x0a has been kept open for writing" in problem
        assert f"(process {os.getpid()})" in problem
        await do(os.close, descriptor)
        await line.passes(10)
        assert line.settling.problems() == []
        assert line.names == [b"file\n"]


async def test_where_there_are_no_leases_a_longer_quiet_time_decides(folder):
    async with Line(folder) as line:
        line.leases = False
        await do(write, line.below(b"file"))
        await line.sight(b"file")
        await line.passes(9.9)
        assert line.names == []
        await line.passes(0.1)
        assert [one.leased for one in line.settled] == [None]


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which takes root")
async def test_a_file_of_another_owner_gets_no_lease_and_the_longer_quiet_time():
    made = await do(tempfile.mkdtemp)  # pytest's own folders are closed to others
    try:
        async with Line(os.fsencode(made)) as line:
            await do(os.chmod, made, 0o755)
            await do(os.chmod, await do(write, line.below(b"file")), 0o644)
            await do(os.seteuid, 65534)
            await line.sight(b"file")
            await line.passes(9.9)
            assert line.names == []
            await line.passes(0.1)
            assert [one.leased for one in line.settled] == [None]
    finally:
        await do(os.seteuid, 0)
        await do(shutil.rmtree, made)


async def test_no_file_is_handed_on_twice_while_it_is_in_the_line(folder):
    async with Line(folder) as line:
        await do(write, line.below(b"file"))
        await line.sight(b"file")
        await line.passes(2)
        await line.sight(b"file")
        await line.passes(60)
        assert line.names == [b"file"]


async def test_what_was_sighted_under_the_name_meanwhile_is_looked_at_when_it_is_done(folder):
    async with Line(folder) as line:
        path = await do(write, line.below(b"file"))
        await line.sight(b"file")
        await line.passes(2)
        await do(os.rename, path, folder + b"-held")
        await do(write, path, b"another file")
        await line.sight(b"file")
        line.settling.done([path])
        await line.passes(2)
        assert [one.stamp.size for one in line.settled] == [7, 12]


async def test_done_without_news_ends_it(folder):
    async with Line(folder) as line:
        path = await do(write, line.below(b"file"))
        await line.sight(b"file")
        await line.passes(2)
        line.settling.done([path, line.below(b"never seen")])
        await line.passes(60)
        assert (line.names, line.settling.pending()) == ([b"file"], 0)


async def test_what_could_not_be_taken_comes_again(folder):
    async with Line(folder) as line:
        path = await do(write, line.below(b"file"))
        await line.sight(b"file")
        await line.passes(2)
        line.settling.again(Sighting(folder, path), 60)
        await line.passes(61.9)
        assert line.names == [b"file"]
        await line.passes(0.1)
        assert line.names == [b"file", b"file"]


async def test_a_hint_brings_it_again_sooner(folder):
    async with Line(folder) as line:
        path = await do(write, line.below(b"file"))
        await line.sight(b"file")
        await line.passes(2)
        line.settling.again(Sighting(folder, path), 60)
        await line.sight(b"file")
        await line.passes(2)
        assert line.names == [b"file", b"file"]


async def test_that_a_person_asked_is_handed_on(folder):
    async with Line(folder) as line:
        await do(write, line.below(b"file"))
        await line.sight(b"file")
        await line.sight(b"file", asked=True)
        await line.passes(2)
        assert [one.sighting.asked for one in line.settled] == [True]


async def test_marks_of_origin_may_be_beside_files_once_one_was_seen_or_a_person_asked(folder):
    root, other = folder, folder + b"/other"
    await do(os.mkdir, other)
    for name in (b"file", b"file:Zone.Identifier", b"other/file"):
        await do(write, folder + b"/" + name)
    async with Line(folder, replace(RULES, ignore=("*:zone.identifier",))) as line:
        await line.sight(b"file")
        assert not line.settling.marks(root)
        await line.sight(b"file:Zone.Identifier")
        assert line.settling.marks(root)
        await line.passes(2)
        assert line.names == [b"file"]

        assert not line.settling.marks(other)
        line.sightings.put_nowait([Sighting(other, other + b"/file", asked=True)])
        await line.idle()
        assert line.settling.marks(other)


@pytest.mark.parametrize("told", ["sighted before", "sighted after", "asked for", "no leases"])
async def test_a_control_file_beside_it_holds_it_back_while_it_is_there(folder, told):
    for name in (b"file", b"file.aria2", b"other"):
        await do(write, folder + b"/" + name)
    async with Line(folder) as line:
        line.leases = told != "no leases"
        if told == "sighted before":
            await line.sight(b"file.aria2")
        await line.sight(b"file", b"other", asked=told == "asked for")
        await line.passes(1)
        if told == "sighted after":
            await line.sight(b"file.aria2")
        await line.passes(20)
        assert line.names == [b"other"]
        await do(os.unlink, line.below(b"file.aria2"))
        await line.passes(30)
        assert line.names == [b"other", b"file"]


@pytest.mark.parametrize("lists", [1, 2])
async def test_a_control_file_that_a_sweep_finds_last_holds_back_at_once(folder, lists):
    for name in (b"file", b"file.aria2"):
        await do(write, folder + b"/" + name)
    async with Line(folder, replace(RULES, settle=0.0)) as line:
        sightings = [Sighting(folder, line.below(name)) for name in (b"file", b"file.aria2")]
        for start in range(0, 2, 2 // lists):
            line.sightings.put_nowait(sightings[start : start + 2 // lists])
        await line.passes(20)
        assert line.names == []


async def test_without_a_quiet_time_nobody_need_have_told_of_what_lies_beside(folder):
    for name in (b"file", b"file.aria2", b"other"):
        await do(write, folder + b"/" + name)
    async with Line(folder, replace(RULES, settle=0.0)) as line:
        assert line.settling.marks(folder)
        await line.sight(b"file", b"other")
        await line.passes(20)
        assert line.names == [b"other"]


async def test_a_control_file_told_of_with_the_end_of_its_writer_holds_back(folder):
    async with Line(folder) as line:
        with await do(open, line.below(b"file"), "wb", 0) as writer:
            await do(writer.write, b"content")
            await line.sight(b"file")
            await line.passes(20)
        await do(write, line.below(b"file.aria2"))
        await line.sight(b"file", b"file.aria2")
        await line.passes(20)
        assert line.names == []


async def test_more_than_are_looked_at_at_once_each_settle_once(folder):
    count = 3 * LOOKED_AT_ONCE + 7
    names = [b"%d" % number for number in range(count)]

    def burst():
        for name in names:
            write(folder + b"/" + name)

    await do(burst)
    async with Line(folder) as line:
        await line.sight(*names, *names[:9])
        await line.sight(*names[:2000])
        assert line.settling.pending() == count
        await line.passes(2)
        assert sorted(line.names) == sorted(names)
        assert line.settling.pending() == 0
        assert line.settling.handed() == count


async def test_one_that_is_due_with_others_goes_its_own_way_after_a_hint(folder):
    for name in (b"early", b"late"):
        await do(write, folder + b"/" + name)
    async with Line(folder) as line:
        await line.sight(b"early", b"late")
        await line.passes(1)
        await do(write, line.below(b"late"), b"more")
        await line.sight(b"late")
        await line.passes(1)
        assert line.names == [b"early"]
        await line.passes(0.999)
        assert line.names == [b"early"]
        await line.passes(0.001)
        assert line.names == [b"early", b"late"]


async def test_a_burst_is_handed_on_in_lists(folder):
    names = [b"%d" % number for number in range(3000)]

    def burst():
        for name in names:
            write(folder + b"/" + name)

    await do(burst)
    async with Line(folder) as line:
        await line.sight(*names)
        await line.passes(3)
        assert sorted(line.names) == sorted(names)
        assert max(map(len, line.lists)) == HANDED_AT_ONCE
        assert len(line.lists) < 20


async def test_an_error_of_the_next_step_ends_it_aloud(folder):
    async with Line(folder) as line:
        line.settling._settled = None  # what is called when a file has settled
        await do(write, line.below(b"file"))
        await line.sight(b"file")
        await line.clock.advance(2)
        with pytest.raises(ExceptionGroup) as caught:
            await line._run
        assert caught.group_contains(TypeError)


async def test_stopping_leaves_no_thread(folder):
    def threads():
        return [t for t in threading.enumerate() if t.name.startswith("settling") and t.is_alive()]

    async with Line(folder) as line:
        await do(write, line.below(b"file"))
        await line.sight(b"file")
        looking = threads()
        assert len(looking) == 1
    await do(looking[0].join, 10)
    assert threads() == []


async def test_on_the_real_clock_the_hand_over_follows_within_moments(folder):
    from checkfirst.clock import SystemClock
    from checkfirst.intake.settling import Settling

    handed: asyncio.Queue[float] = asyncio.Queue()

    async def take(_):
        handed.put_nowait(time.monotonic())

    sightings: asyncio.Queue[list[Sighting]] = asyncio.Queue()
    settling = Settling(
        rules=replace(RULES, settle=0.2),
        sightings=sightings,
        settled=take,
        spares=lambda *_: False,
        clock=SystemClock(),
        leases=lambda _: True,
    )
    path = await do(write, folder + b"/file")
    running = asyncio.create_task(settling.run())
    start = time.monotonic()
    sightings.put_nowait([Sighting(folder, path)])
    async with asyncio.timeout(10):
        took = await handed.get() - start
    running.cancel()
    await asyncio.wait([running])
    assert took >= 0.2


async def test_a_folder_that_does_not_answer_keeps_no_other_waiting(folder):
    away = folder + b" away"
    await do(os.mkdir, away)
    here, there = folder + b"/here", away + b"/there"
    for path in (here, there):
        await do(write, path)
    async with Line(folder) as line, asyncio.timeout(30):
        entries = line.settling._entries
        silence = hung(away)
        await do(silence.__enter__)
        try:
            line.sightings.put_nowait([Sighting(away, there), Sighting(folder, here)])
            while here not in entries or entries[here].due is None:  # noqa: ASYNC110  (no event tells)
                await asyncio.sleep(0.01)
            await line.clock.advance(2)
            while not line.settled:  # noqa: ASYNC110  (as above)
                await asyncio.sleep(0.01)
            assert line.names == [b"here"]
            assert entries[there].due is None, "a thread still looks at it"
        finally:
            await do(silence.__exit__, None, None, None)
        line.sightings.put_nowait([Sighting(away, there)])
        await line.passes(2)
        assert [one.sighting.path for one in line.settled] == [here, there]
