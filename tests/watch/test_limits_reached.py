"""The kernel gives out no more inotify: files are found all the same, and a person hears of it.

In a user namespace, where the limits can be lowered for nobody else.
"""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a user namespace of its own takes root")

CHILD = """
import asyncio, os, sys
from checkfirst.clock import SystemClock
from checkfirst.vault.grip import ignore_lease_breaks
from checkfirst.watch.watcher import Watcher

def limit(text):
    with open(f"/proc/sys/user/max_inotify_{sys.argv[2]}", "w") as file:
        file.write(text)

def write(path):
    with open(path, "wb") as file:
        file.write(b"content")

async def main():
    ignore_lease_breaks()
    folder = os.fsencode(sys.argv[1])
    sightings, events = asyncio.Queue(), asyncio.Queue()
    limit(sys.argv[3])
    watcher = Watcher(
        [folder + b"/Downloads"], recursive=True, watcher="auto", existing="take",
        sweep_every=1.0, excluded=frozenset(), state=folder, sightings=sightings,
        clock=SystemClock(), moves=lambda _: "rename", on_event=events.put_nowait, poll_every=0.1,
    )
    await watcher.start()
    running = asyncio.create_task(watcher.run())
    print((await events.get()).trouble)
    (health,) = watcher.health()
    print(health.watcher, health.healthy)
    print(health.problem)
    for number in range(8):
        write(folder + b"/Downloads/%d/file" % number)
    seen = set()
    while len(seen) < 8:
        seen.update(sighting.path for sighting in await sightings.get())
    limit("1000000")
    print((await events.get()).trouble)
    (health,) = watcher.health()
    print(health.watcher, health.healthy, health.problem)
    running.cancel()
    await watcher.stop()

asyncio.run(asyncio.wait_for(main(), 20))
"""


@pytest.mark.parametrize(
    ("what", "most", "watcher"),
    [("instances", 0, "polling"), ("watches", 0, "polling"), ("watches", 5, "native")],
)
def test_files_are_found_by_looking_until_there_is_more(tmp_path, what, most, watcher):
    for number in range(8):
        (tmp_path / "Downloads" / f"{number}").mkdir(parents=True)
    namespace = ["unshare", "--user", "--map-root-user", "--mount-proc", "--pid", "--fork"]
    done = subprocess.run(
        [*namespace, sys.executable, "-c", CHILD, tmp_path, what, str(most)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    if "unshare" in done.stderr:
        pytest.skip(f"no user namespace here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    trouble, health, problem, trouble_then, health_then = done.stdout.splitlines()
    assert (trouble, health) == ("limited", f"{watcher} False")
    assert f"sudo sysctl fs.inotify.max_user_{what}=1" in problem
    assert (trouble_then, health_then) == ("back", "native True None")
