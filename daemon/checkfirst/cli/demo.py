"""`checkfirst demo`: the whole thing, offline, in a throw-away folder.

The daemon is the real one, in a process of its own; only VirusTotal is played, by the simulator.
What is shown is checked as well: when a file does not end where it should, the exit code says so.
"""

import contextlib
import os
import subprocess
import sys
import textwrap
import time

import click

from checkfirst.cli.demo_daemon import (
    COLOURS,
    LOOK_SECONDS,
    STOP_SECONDS,
    WIDTH,
    Lines,
    daemon,
    signals_end_it,
    throw_away_folder,
)
from checkfirst.cli.demo_scene import DROPS, KEY, PER_MINUTE, Scene
from checkfirst.model import Arrival, Mode, State
from checkfirst.policy.names import escape, show
from checkfirst.simulator.quota import Limits
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import simulator_in_thread
from checkfirst.store.reading import Reading

END_SECONDS = 20.0
STATUS_SECONDS = 1.2
"""The daemon writes its numbers once a second; after so long they speak of all the files."""

_REPORT_LINES = 14


@click.command()
@click.option(
    "--mode",
    type=click.Choice([str(mode) for mode in Mode]),
    default=str(Mode.NORMAL),
    show_default=True,
    help="What happens to files that nobody has ever judged.",
)
@click.option("--stay", is_flag=True, help="Keep it running, to drop files of your own.")
@click.pass_context
def demo(context: click.Context, *, mode: str, stay: bool) -> None:
    """Show what checkfirst does, offline, with harmless files in a throw-away folder.

    Nothing of yours is touched, no API key is needed, and nothing is left behind. The exit code
    is 0 when every file ended where it should.
    """
    with signals_end_it(), throw_away_folder() as folder:
        simulator = Simulator(keys=(KEY,), limits=Limits(per_minute=PER_MINUTE))
        with simulator_in_thread(simulator) as virustotal:
            virustotal.add(*(drop.known for drop in DROPS if drop.is_known))
            scene = Scene(folder, Mode(mode), virustotal.url)
            scene.prepare_blocking()
            _introduce(scene)
            with daemon(scene) as lines:
                faults = _act(scene, lines)
                if stay:
                    _stay(scene, lines)
        _title("The end")
        _text(
            "Every file ended where it should. The folder is thrown away."
            if not faults
            else "Something went wrong; the red lines above say what."
        )
    context.exit(1 if faults else 0)


def _introduce(scene: Scene) -> None:
    _title("checkfirst, offline, in a throw-away folder")
    _text(
        f"The folder is {scene.folder}. A simulator plays VirusTotal at {scene.url}, with a quota "
        f"of {PER_MINUTE} questions a minute; the real public one is 4, and there the fifth file "
        "would wait for its turn. The daemon is the real one:"
    )


def _act(scene: Scene, lines: Lines) -> int:
    """Drop the files, show what happens, and count what is not as it should be."""
    _title(f"{len(DROPS)} files are dropped into Downloads")
    for drop in DROPS:
        click.echo(f"  {click.style(show(drop.name), bold=True)}")
        _text(drop.what, indent=4)
    _title("The daemon holds them out of reach, asks, and moves them")
    for drop in DROPS:
        scene.drop_blocking(drop)
    arrivals = _follow(scene, lines, len(DROPS))

    _title("Where they are now")
    faults = 0
    for drop in DROPS:
        arrival = arrivals.get(drop.known.sha256)
        fault = scene.fault_blocking(drop, arrival)
        faults += bool(fault)
        state = arrival.state if arrival else "missing"
        word = click.style(f"{state:<11}", fg=COLOURS.get(state), bold=True)
        click.echo(f"  {word}  {show(drop.name)}")
        if fault:
            _text(click.style(f"This is wrong: {fault}", fg="red"), indent=15)
    _show_quarantine(scene)
    lines.show(STATUS_SECONDS)
    faults += _show_status(scene)
    return faults


def _follow(scene: Scene, lines: Lines, count: int) -> dict[str, Arrival]:
    """Show the daemon's lines until all files have ended, or time is up; give rows by SHA-256."""
    end = time.monotonic() + END_SECONDS
    with Reading(scene.database) as reading:
        while True:
            rows = reading.history(100)
            ended = [row for row in rows if row.state in {State.RELEASED, State.QUARANTINED}]
            lines.show(LOOK_SECONDS)
            if len(ended) >= count or time.monotonic() > end:
                lines.show(LOOK_SECONDS)
                return {row.sha256: row for row in rows if row.sha256 is not None}


def _show_quarantine(scene: Scene) -> None:
    _title("The quarantine: a folder for each file, which says what it is and why")
    reports = sorted(scene.quarantine.glob("*/report.txt"))
    for report in reports:
        click.echo(f"  {click.style(escape(report.parent.name), bold=True)}")
        for entry in sorted(report.parent.iterdir()):
            mode = entry.stat().st_mode & 0o777
            note = "   (mode 0000: it cannot be opened by accident)" if mode == 0 else ""
            click.echo(f"    {escape(entry.name)}{note}")
    if reports:
        _title("One of the reports")
        for line in reports[-1].read_text("utf-8").splitlines()[:_REPORT_LINES]:
            click.echo(_cut(f"  {escape(line.replace(f'{scene.folder}/', ''))}"))


def _show_status(scene: Scene) -> int:
    """Show `checkfirst status`; 1 when it could not tell."""
    _title("checkfirst status")
    command = [sys.executable, "-m", "checkfirst", "--settings", str(scene.settings), "status"]
    told = subprocess.run(  # noqa: S603  (our own program)
        command,
        env=scene.environment(os.environ),
        cwd=scene.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=STOP_SECONDS,
    )
    for line in (told.stdout + told.stderr).decode("utf-8", "replace").splitlines():
        _text(escape(line.replace(f"{scene.folder}/", "")), more=16)
    if told.returncode not in (0, 1):
        _text(click.style(f"This is wrong: its exit code is {told.returncode}", fg="red"))
        return 1
    return 0


def _stay(scene: Scene, lines: Lines) -> None:
    _title("Your turn")
    _text(
        f"Drop files into {scene.downloads} and see what happens. The simulator knows only a few "
        "files, so most of yours are unknown to it. Nothing leaves this machine. Ctrl-C ends it."
    )
    with contextlib.suppress(KeyboardInterrupt):
        while not lines.ended:
            lines.show(LOOK_SECONDS)
        _text("The daemon has ended.")


def _title(text: str) -> None:
    click.echo(f"\n{click.style(text, bold=True, underline=True)}")


def _text(text: str, indent: int = 2, more: int = 0) -> None:
    """Print a paragraph; `more` indents its further lines more. Spaces in it are kept."""
    space = " " * indent
    wrapped = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=space,
        subsequent_indent=space + " " * more,
        break_long_words=False,
        break_on_hyphens=False,
    )
    click.echo("\n".join(wrapped))


def _cut(line: str) -> str:
    line = line.rstrip()
    return line if len(line) <= WIDTH + 1 else f"{line[:WIDTH]}…"
