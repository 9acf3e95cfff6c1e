"""The daemon of the demo: a real one in a process of its own, and what it says.

However the demo ends, the daemon is stopped in good order and its folder is gone.
"""

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from checkfirst.cli.demo_scene import Scene
from checkfirst.errors import Problem
from checkfirst.log_lines import parts_of
from checkfirst.policy.names import escape

START_SECONDS = 15.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.1

WIDTH = 78
COLOURS = {
    "released": "green",
    "quarantined": "red",
    "problem": "yellow",
    "watching": "cyan",
}


class Lines:
    """The daemon's lines, read in a thread so that nobody waits for the next one."""

    def __init__(self, stream: IO[bytes], folder: Path) -> None:
        self.ended = False
        self.ready = False
        self._folder = folder
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, args=(stream,), name="log", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Come back when the stream has been read to its end, so that it can be closed."""
        self._thread.join(seconds)

    def show(self, seconds: float) -> None:
        """Print what comes within so many seconds."""
        end = time.monotonic() + seconds
        with contextlib.suppress(queue.Empty):
            while (left := end - time.monotonic()) > 0:
                line = self._queue.get(timeout=left)
                if line is None:
                    self.ended = True
                    return
                self._print(line.decode("utf-8", "replace").rstrip())

    def _print(self, line: str) -> None:
        parts = parts_of(line)
        event, text = (parts.event, parts.text) if parts else ("", line)
        self.ready = self.ready or (event == "watching" and ", mode " in text)
        short = escape(text.strip().replace(f"{self._folder}/", ""))
        word = click.style(f"{event:<11}", fg=COLOURS.get(event))
        wrapped = textwrap.wrap(
            short, WIDTH - 15, break_long_words=False, break_on_hyphens=False
        ) or [""]
        click.echo(
            "\n".join([f"  {word}  {wrapped[0]}", *(f"{'':15}{more}" for more in wrapped[1:])])
        )

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._queue.put(line)
        self._queue.put(None)


@contextlib.contextmanager
def daemon(scene: Scene) -> Iterator[Lines]:
    """Run the daemon until the block is left; raises Problem when it does not get ready."""
    command = [sys.executable, "-m", "checkfirst", "--settings", str(scene.settings), "run"]
    click.echo(f"\n  $ checkfirst --settings {scene.settings.name} run")
    process = subprocess.Popen(  # noqa: S603  (our own program)
        command,
        env=scene.environment(os.environ),
        cwd=scene.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is for us, and we end it in good order
    )
    with process:
        if process.stdout is None:
            raise RuntimeError("a pipe was asked for")
        lines = Lines(process.stdout, scene.folder)
        try:
            end = time.monotonic() + START_SECONDS
            while not lines.ready:
                lines.show(LOOK_SECONDS)
                if lines.ended or time.monotonic() > end:
                    raise Problem("The daemon did not get ready", "Its last words stand above.")
            yield lines
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            lines.wait(STOP_SECONDS)


@contextlib.contextmanager
def throw_away_folder() -> Iterator[Path]:
    """Give a folder that is gone, with all that is in it, when the block is left."""
    folder = Path(tempfile.mkdtemp(prefix="checkfirst-demo-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def signals_end_it() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end it as Ctrl-C does, so that it cleans up."""
    wanted = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.default_int_handler) for number in wanted]
    try:
        yield
    finally:
        for number, handler in zip(wanted, before, strict=True):
            signal.signal(number, handler)
