import asyncio
import errno
import os
import resource
import subprocess
import sys

import pytest
from watchdog.events import FileCreatedEvent

from checkfirst.watch.hints import Heard, Hints
from checkfirst.watch.observer import _Handler, observe_blocking, watch_limit_remedy
from checkfirst.watch.root import WatchProblem, open_root_blocking
from tests.watch.watching import do, watchers_threads, write

# As in the package: a folder may come to the watch twice, by its event and by a walk.
pytestmark = pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")


class Ear:
    """A started observer and what it tells."""

    def __init__(self, folder: bytes, *, recursive: bool = False) -> None:
        self.heard: asyncio.Queue[Heard] = asyncio.Queue()
        self.recursive = recursive
        self.hints = Hints(
            asyncio.get_running_loop(),
            self.heard.put_nowait,
            recursive=recursive,
            excluded=frozenset(),
        )
        self.folder = folder

    async def __aenter__(self):
        root = await do(open_root_blocking, self.folder, "native")
        self.watching = await do(observe_blocking, root, self.hints, recursive=self.recursive)
        return self

    async def __aexit__(self, *_):
        await do(self.watching.stop_blocking)

    async def until(self, true) -> Heard:
        async with asyncio.timeout(10):
            while not true(heard := await self.heard.get()):
                pass
            return heard

    async def hears(self, path: bytes) -> None:
        await self.until(lambda heard: path in heard.files)


@pytest.fixture
def folder(tmp_path):
    os.mkdir(bytes(tmp_path) + b"/Downloads")
    return bytes(tmp_path) + b"/Downloads"


async def test_an_event_that_comes_while_it_is_stopped_is_no_error(folder, caplog):
    async with Ear(folder) as ear:
        [emitter] = ear.watching._observer.emitters
    emitter.queue_events(0.1)
    assert caplog.messages == []


async def test_every_way_of_arriving_is_heard(folder):
    outside = await do(write, folder + b"-outside")
    async with Ear(folder) as ear:
        await do(write, folder + b"/made")
        await ear.hears(folder + b"/made")
        await do(os.rename, outside, folder + b"/moved in")
        await ear.hears(folder + b"/moved in")
        await do(os.rename, folder + b"/made", folder + b"/renamed")
        await ear.hears(folder + b"/renamed")
        await do(os.rename, folder + b"/renamed", folder + b"/moved in")
        await ear.hears(folder + b"/moved in")
        await do(os.link, folder + b"/moved in", folder + b"/linked")
        await ear.hears(folder + b"/linked")


async def test_names_that_are_no_text_are_heard_as_they_are(folder):
    async with Ear(folder) as ear:
        path = await do(write, folder + b"/inv\xff\xfe\nname")
        await ear.hears(path)


async def test_a_closed_file_is_heard_again(folder):
    def append(content):
        with open(folder + b"/file", "ab") as file:
            file.write(content)

    async with Ear(folder) as ear:
        await do(append, b"1")
        await ear.hears(folder + b"/file")
        await do(append, b"2")
        await ear.hears(folder + b"/file")


async def test_news_does_not_wait_behind_a_departure(folder):
    """watchdog's own mask would keep `next` for half a second, hoping for the other half."""
    await do(write, folder + b"/leaving")
    async with Ear(folder) as ear:
        loop = asyncio.get_running_loop()
        await do(os.rename, folder + b"/leaving", folder + b"-left")
        start = loop.time()
        await do(write, folder + b"/next")
        await ear.hears(folder + b"/next")
        assert loop.time() - start < 0.4


async def test_files_in_new_sub_folders_are_heard_of_by_themselves_or_their_folder(folder):
    def tree():
        os.makedirs(folder + b"/a/b/c")
        write(folder + b"/a/b/c/file")

    async with Ear(folder, recursive=True) as ear:
        await do(tree)
        await ear.until(lambda heard: folder + b"/a" in heard.folders)
        await do(write, folder + b"/a/b/c/later")
        await ear.hears(folder + b"/a/b/c/later")


async def test_a_renamed_sub_folder_is_heard_of_under_its_new_name(folder):
    await do(os.mkdir, folder + b"/old")
    async with Ear(folder, recursive=True) as ear:
        await do(os.rename, folder + b"/old", folder + b"/new")
        await ear.until(lambda heard: folder + b"/new" in heard.folders)
        await do(write, folder + b"/new/file")
        await ear.hears(folder + b"/new/file")


async def test_a_deleted_root_is_told(folder):
    async with Ear(folder) as ear:
        await do(os.rmdir, folder)
        assert (await ear.until(lambda heard: heard.lost)).lost


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
async def test_an_unmounted_root_is_told(folder):
    mounted = await do(
        subprocess.run, ["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    async with Ear(folder) as ear:
        await do(subprocess.run, ["umount", folder], check=True)
        assert (await ear.until(lambda heard: heard.lost)).lost


async def test_stopping_leaves_no_threads(folder):
    async with Ear(folder) as ear:
        assert ear.watching.alive
        assert len(watchers_threads()) == 3
    assert not ear.watching.alive
    assert watchers_threads() == []


async def test_a_handler_never_raises_and_tells_that_it_failed(folder, caplog):
    async with Ear(folder) as ear:
        broken = FileCreatedEvent("/x")
        object.__setattr__(broken, "src_path", 7)
        _Handler(ear.hints, folder).dispatch(broken)
        assert (await ear.until(lambda heard: heard.lost)).lost
        await do(write, folder + b"/file")
        await ear.hears(folder + b"/file")
    assert "could not be handled" in caplog.text


async def test_no_more_instances_is_a_problem_that_names_the_limit(folder):
    ear = Ear(folder)
    root = await do(open_root_blocking, folder, "native")

    def without_descriptors():
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        try:
            return observe_blocking(root, ear.hints, recursive=False)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)

    with pytest.raises(WatchProblem) as caught:
        await do(without_descriptors)
    assert "fs.inotify.max_user_instances=1024" in caught.value.to_do
    assert watchers_threads() == []


LIMITED = """
import asyncio, os, sys
from checkfirst.watch.hints import Hints
from checkfirst.watch.observer import observe_blocking
from checkfirst.watch.root import WatchProblem, open_root_blocking

async def main():
    hints = Hints(asyncio.get_running_loop(), lambda _: None, recursive=True, excluded=frozenset())
    folder = os.fsencode(sys.argv[1])
    first = observe_blocking(open_root_blocking(folder, "native"), hints, recursive=True)
    print(first.folders_without_watch)
    try:
        other = open_root_blocking(os.path.dirname(folder), "native")
        observe_blocking(other, hints, recursive=False)
    except WatchProblem as problem:
        print(problem)
    first.stop_blocking()

asyncio.run(main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a user namespace of its own takes root")
def test_the_watch_limit_is_a_problem_at_the_root_and_counted_below_it(folder):
    """In a user namespace, where the limit can be lowered for nobody else."""
    for number in range(8):
        os.mkdir(folder + b"/%d" % number)
    inside = 'echo 5 > /proc/sys/user/max_inotify_watches && exec "$@"'
    command = ["unshare", "--user", "--map-root-user", "--mount-proc", "--pid", "--fork"]
    arguments = [sys.executable, "-c", LIMITED, os.fsdecode(folder)]
    done = subprocess.run(
        [*command, "sh", "-c", inside, "sh", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    if done.returncode != 0 and not done.stdout:
        pytest.skip(f"no user namespace with its own limits here: {done.stderr.strip()[-200:]}")
    counted, *problem = done.stdout.splitlines()
    assert int(counted) == 4  # the root and four of its eight folders are watched
    assert "fs.inotify.max_user_watches" in " ".join(problem)


def test_the_remedy_names_what_is_set_now():
    with open("/proc/sys/fs/inotify/max_user_watches", encoding="ascii") as file:
        assert f"(now {file.read().strip()})" in watch_limit_remedy()


async def test_a_root_that_vanished_meanwhile_is_a_problem(folder):
    root = await do(open_root_blocking, folder, "native")
    await do(os.rmdir, folder)
    with pytest.raises(WatchProblem, match="cannot be watched") as caught:
        await do(observe_blocking, root, Ear(folder).hints, recursive=False)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOENT
    assert watchers_threads() == []
