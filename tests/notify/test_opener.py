"""What may be opened, and how often by itself."""

import asyncio
import queue
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from checkfirst.errors import FileProblem
from checkfirst.notify.opener import REST_SECONDS, Opener, is_page
from checkfirst.notify.opening import command
from tests.fakes.clock import FakeClock

PAGE = "https://www.virustotal.com/gui/file/" + "ab" * 32


@pytest.mark.parametrize(
    ("url", "good"),
    [
        (PAGE, True),
        (f"{PAGE}/detection?nocache=1#top", True),
        ("http://www.virustotal.com/gui/file/1", False),
        ("https://www.virustotal.com.evil.example/", False),
        ("https://www.virustotal.com@evil.example/", False),
        ("https://evil.example/https://www.virustotal.com/", False),
        ("file:///etc/passwd", False),
        ("--help", False),
        (f"{PAGE}\n--help", False),
        (f"{PAGE} x", False),
        (f"{PAGE}\u202e", False),
        (f"{PAGE}$HOME", False),
    ],
)
def test_only_addresses_of_virustotal_are_pages(url: str, good: bool):
    assert is_page(url) is good


@asynccontextmanager
async def opening(clock: FakeClock, fails: bool = False) -> AsyncIterator[tuple[Opener, list]]:
    opened: list[str | bytes] = []
    done: queue.SimpleQueue[None] = queue.SimpleQueue()

    def open_blocking(target: str | bytes) -> None:
        opened.append(target)
        done.put(None)
        if fails and len(opened) == 1:
            raise FileProblem("There is no desktop")

    opener = Opener(open_blocking, clock)
    async with asyncio.TaskGroup() as group:
        role = group.create_task(opener.run())
        yield opener, opened
        for _ in range(opener._wanted.qsize()):
            await asyncio.to_thread(done.get, True, 10.0)
        role.cancel()
        with suppress(asyncio.CancelledError):
            await role


async def test_a_hundred_files_open_one_page():
    clock = FakeClock()
    async with opening(clock) as (opener, opened):
        for n in range(100):
            opener.unasked(f"{PAGE}?{n}")
        await clock.advance(REST_SECONDS)
        opener.unasked(f"{PAGE}?later")
    assert opened == [f"{PAGE}?0", f"{PAGE}?later"]


async def test_a_person_may_press_again_but_not_without_end():
    async with opening(FakeClock()) as (opener, opened):
        for _ in range(100):
            opener.press(PAGE)
    assert 1 < len(opened) < 20


async def test_what_is_no_page_of_virustotals_is_never_opened():
    async with opening(FakeClock()) as (opener, opened):
        opener.press("https://evil.example/")
        opener.press("file:///etc/passwd")
        opener.press(b"/Quarantine")
    assert opened == [b"/Quarantine"]


async def test_a_desktop_that_cannot_open_is_no_end():
    async with opening(FakeClock(), fails=True) as (opener, opened):
        opener.press(b"/one")
        opener.press(b"/two")
    assert opened == [b"/one", b"/two"]


def test_without_a_display_nothing_is_opened_and_no_browser_in_a_terminal():
    assert command(PAGE, {}, "linux", has_systemd_run=True) is None


def test_below_systemd_the_browser_is_no_child_of_ours():
    environ = {"INVOCATION_ID": "1", "DISPLAY": ":0"}
    how = command(b"/a $HOME", environ, "linux", has_systemd_run=True)
    assert how is not None
    assert how[:2] == [b"systemd-run", b"--user"]
    assert how[-2:] == [b"xdg-open", b"/a $$HOME"]
    assert command(PAGE, environ, "linux", has_systemd_run=False) == [b"xdg-open", PAGE.encode()]


def test_elsewhere_the_platforms_own_opener_is_used():
    assert command(PAGE, {"DISPLAY": ":0"}, "linux", has_systemd_run=False) == [
        b"xdg-open",
        PAGE.encode(),
    ]
    assert command(PAGE, {}, "darwin", has_systemd_run=False) == [b"open", PAGE.encode()]
