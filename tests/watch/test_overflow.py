"""More events than the kernel keeps (fs.inotify.max_queued_events) for a watcher held up."""

import os
import signal
import subprocess
import sys

FILES = 50_000

CHILD = """
import asyncio, os, sys
from checkfirst.clock import SystemClock
from checkfirst.vault.grip import ignore_lease_breaks
from checkfirst.watch.watcher import Watcher

async def main():
    ignore_lease_breaks()
    folder, state = (os.fsencode(path) for path in sys.argv[1:3])
    sightings, events = asyncio.Queue(), asyncio.Queue()
    watcher = Watcher(
        [folder], recursive=False, watcher="auto", existing="take", sweep_every=300.0,
        excluded=frozenset(), state=state, sightings=sightings, clock=SystemClock(),
        moves=lambda _: "rename", on_event=events.put_nowait,
    )
    await watcher.start()
    running = asyncio.create_task(watcher.run())
    print("watching", flush=True)
    event = await events.get()
    print(event.trouble, flush=True)
    seen = set()
    while len(seen) < int(sys.argv[3]):
        seen.update(sighting.path for sighting in await sightings.get())
    print(len(seen), flush=True)
    await asyncio.to_thread(open(folder + b"/afterwards", "wb").close)
    while folder + b"/afterwards" not in seen:
        seen.update(sighting.path for sighting in await sightings.get())
    print("still watching", flush=True)
    running.cancel()
    await watcher.stop()

asyncio.run(main())
"""


def test_what_an_overflow_lost_is_found_by_a_sweep(tmp_path):
    folder, state = tmp_path / "Downloads", tmp_path / "state"
    folder.mkdir()
    state.mkdir()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, folder, state, str(FILES)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert child.stdout.readline() == "watching\n"
        child.send_signal(signal.SIGSTOP)
        for number in range(FILES):
            os.mknod(folder / f"{number}")
        child.send_signal(signal.SIGCONT)
        assert child.stdout.read().split("\n")[:3] == ["overflow", str(FILES), "still watching"]
        assert child.wait() == 0
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
