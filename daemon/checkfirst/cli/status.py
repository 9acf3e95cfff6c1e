"""`checkfirst status`: what runs, what waits and until when, and what is wrong."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import click

from checkfirst.cli import output, second_look
from checkfirst.cli.options import Options, database_of
from checkfirst.cli.span import SPAN
from checkfirst.clock import SystemClock
from checkfirst.errors import NotRunningError, Problem
from checkfirst.policy.names import show
from checkfirst.policy.quota import Limits, narrower
from checkfirst.service.lock import running_pid
from checkfirst.service.overview import Overview, overview
from checkfirst.service.status import disk_trouble_blocking, read_blocking
from checkfirst.settings.glance import Glance
from checkfirst.store.reading import Reading
from checkfirst.watch.telling import left_out, not_entered

EXIT_CODES = {"running": 0, "degraded": 1, "stopped": 3}

_PAUSE = 0.5
"""Seconds between two looks of `--wait`."""
_QUIET_LOOKS = 2
"""So many looks in a row must find nothing to do: a file that has just been dropped shows up in
what the daemon writes a moment later."""
_MOST_WAITING = 10
_LONGEST_NAME = 60
"""Columns, also where nothing else is cut: a name may take 255 bytes, each of them escaped."""
_SPANS = {"minute": "this minute", "day": "today", "month": "this month"}


@click.command()
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.option(
    "--wait", is_flag=True, help="Come back when the daemon runs and every file has its end."
)
@click.option(
    "--timeout",
    "seconds",
    type=SPAN,
    metavar="TIME",
    help="With --wait: give up after so long, such as 10m, with exit code 3.",
)
@click.pass_obj
def status(options: Options, *, is_json: bool, wait: bool, seconds: float | None) -> int:
    """What runs, what waits and until when, and what is wrong.

    Exit code 0: running. 1: running, and there is a problem to read. 3: not running.
    """
    glance = options.glance()
    if seconds is not None and not wait:
        raise click.UsageError("--timeout goes with --wait.")
    in_time = not wait or wait_blocking(lambda: look_blocking(glance), time.sleep, seconds)
    seen = look_blocking(glance)
    if not in_time and seen.pid is None:
        raise NotRunningError(
            "checkfirst does not run, and was not started in that time",
            "Start it with `checkfirst run`.",
            about=f"state folder {glance.state}",
        )
    if not in_time:
        raise Problem(
            "Not every file has come to its end in that time",
            "`checkfirst status` says which, and what they wait for.",
        )
    if is_json:
        output.as_json(seen.to_json())
    else:
        _print(seen, glance)
    return EXIT_CODES[seen.state]


def look_blocking(glance: Glance) -> Overview:
    """Look at the lock, the daemon's file and the database; raises StoreError."""
    state = Path(glance.state)
    pid = running_pid(state)
    limits = Limits(glance.per_minute, glance.per_day, glance.per_month)
    with Reading(database_of(state)) as reading:
        return overview(
            reading,
            read_blocking(state),
            pid,
            glance.mode,
            narrower(limits, reading.allowance(glance.account)),
            SystemClock().now(),
            disk=disk_trouble_blocking(state),
        )


def wait_blocking(
    look: Callable[[], Overview], sleep: Callable[[float], object], seconds: float | None = None
) -> bool:
    """Until a daemon runs and nothing is on its way; False when that took too many seconds."""
    quiet = 0
    waited = 0.0
    while True:
        seen = look()
        quiet = quiet + 1 if seen.pid is not None and not seen.unfinished else 0
        if quiet == _QUIET_LOOKS:
            return True
        if seconds is not None and waited >= seconds:
            return False
        sleep(_PAUSE)
        waited += _PAUSE


def _print(seen: Overview, glance: Glance) -> None:
    now = SystemClock().now()
    if seen.pid is None:
        output.state("stopped", "; nothing is watched.")
        output.facts(
            [
                ("state folder", os.fsencode(glance.state)),
                ("settings", os.fsencode(glance.path) if glance.path else "none, all defaults"),
                ("start it with", "checkfirst run"),
            ]
        )
    else:
        output.state(seen.state, f" (process {seen.pid}, mode {seen.mode})")
    if seen.watching:
        output.line()
        output.heading("Watching")
        rows = [
            (
                folder.path,
                folder.watcher,
                f"held by {folder.moves}" + ("" if folder.leases else ", without leases"),
                "" if folder.healthy else "not well, see below",
            )
            for folder in seen.watching
        ]
        output.table([""] * 4, rows, indent=2)
        for folder in seen.watching:
            for number, words in (
                (folder.folders_left_out, left_out),
                (folder.folders_not_looked_into, not_entered),
            ):
                if number:
                    output.paragraph(f"{words(number)}: {show(folder.path)}", indent=2)
    output.line()
    output.facts(_numbers(seen, now))
    _print_sources(seen)
    _print_waiting(seen, now)
    if seen.problems:
        output.line()
        output.heading("Problems")
        for problem in seen.problems:
            output.paragraph(problem, indent=2)
    for warning in glance.warnings:
        output.note(warning)


def _numbers(seen: Overview, now: float) -> list[tuple[str, str]]:
    quota = [
        f"{spent.used} of {spent.limit} {_SPANS[span]}"
        if spent.limit
        else f"{spent.used} {_SPANS[span]}"
        for span, spent in seen.quota.items()
    ]
    last = seen.last_verdict_at
    return [
        ("files", output.counted(seen.counts)),
        ("requests", ", ".join(quota)),
        ("second look", second_look.summary(seen.second_look, now)),
        ("last verdict", f"{output.local(last)} ({output.ago(last, now)})" if last else "none yet"),
    ]


def _print_sources(seen: Overview) -> None:
    if not seen.sources:
        return
    output.line()
    output.heading("Sources, in the order in which they are asked")
    rows = [
        (
            source.name,
            f"{source.asked} asked",
            f"{source.answered} answered",
            _took(source.mean_seconds),
            "" if source.healthy else "not well, see below",
        )
        for source in seen.sources
    ]
    output.table([""] * 5, rows, indent=2)
    if seen.note:
        output.paragraph(f"Note: {seen.note}.", indent=2)


def _took(seconds: float | None) -> str:
    """How long a file took, on average."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{max(seconds * 1000, 0.1):.1f} ms each"
    return f"{seconds:,.1f} s each"


def _print_waiting(seen: Overview, now: float) -> None:
    if not seen.waiting:
        return
    output.line()
    output.heading("Waiting")
    rows = [
        (each.id, each.name, output.until(each.until, now), each.reason)
        for each in seen.waiting[:_MOST_WAITING]
    ]
    output.table([""] * 4, rows, indent=2, longest_name=_LONGEST_NAME)
    if (more := len(seen.waiting) - _MOST_WAITING) > 0:
        output.line(f"  and {more} more: checkfirst history --state waiting --state held")
