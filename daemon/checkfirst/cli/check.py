"""`checkfirst check`: one look at some files, where they lie.

The check_first.exe of 2015 did no more than this: look one file up, then open it or the page
about it.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from checkfirst.cli import output, unopened
from checkfirst.cli.opening import open_file_blocking, open_page_blocking
from checkfirst.cli.span import SPAN
from checkfirst.errors import FileProblem
from checkfirst.model import Action, Decision, Mode
from checkfirst.policy.names import escape, show
from checkfirst.settings.load import load

if TYPE_CHECKING:
    from checkfirst.notify.wording import Notice
    from checkfirst.service.checking import Judged

ACTIONS = {Action.RELEASE: "open", Action.QUARANTINE: "stop", Action.WAIT: "wait"}
_COLOURS = {Action.RELEASE: "green", Action.QUARANTINE: "red", Action.WAIT: "yellow"}

NO_FILE = "error"
"""Said of what cannot be read at all; to programs it is `wait` without a hash and a verdict."""

STOPPED = 1
NOT_JUDGED = 3


@dataclass(frozen=True, slots=True)
class Openers:
    """What opens a file, and what shows a page."""

    file: Callable[[bytes], None] = open_file_blocking
    page: Callable[[str], None] = open_page_blocking


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=bytes), metavar="FILE...")
@click.option("--stop-unknowns", is_flag=True, help="Stop what nobody has ever judged.")
@click.option("--submit-unknowns", is_flag=True, help="Upload it to VirusTotal, for all to see.")
@click.option(
    "--wait-response", is_flag=True, help="Upload it, and judge by the result of its analysis."
)
@click.option("--open", "open_files", is_flag=True, help="Open the files that may be opened.")
@click.option("--browse", is_flag=True, help="Show VirusTotal's page about those that may not.")
@click.option(
    "--timeout",
    "seconds",
    default="90s",
    show_default=True,
    type=SPAN,
    metavar="TIME",
    help="How long to wait for an answer.",
)
@click.option("--json", "as_json", is_flag=True, help="Tell it to a program.")
@click.pass_context
def check(  # noqa: PLR0913  (one for each option)
    context: click.Context,
    *,
    files: Sequence[bytes],
    stop_unknowns: bool,
    submit_unknowns: bool,
    wait_response: bool,
    open_files: bool,
    browse: bool,
    seconds: float,
    as_json: bool,
) -> None:
    """Judge files where they lie; nothing is moved.

    Each is told by a word (open, stop, wait for want of an answer, or error where it cannot be
    read), its name and the reason.
    The exit code is 1 if any must be stopped, else 3 if any could not be judged, else 0. The mode
    and the uploads of the settings do not matter here, only the options given. Without a terminal,
    as from a file manager, what --open leaves closed is told by a notification.
    """
    if not files:
        if open_files:
            _tell_without_terminal(unopened.HOW_TO)
        raise click.MissingParameter(ctx=context, param_hint="'FILE...'", param_type="argument")

    # Heavy, and not needed to show the help.
    from checkfirst.cli import judging  # noqa: PLC0415
    from checkfirst.vault.grip import ignore_lease_breaks  # noqa: PLC0415

    request = judging.Request(
        files=files,
        mode=Mode.STOP_UNKNOWNS if stop_unknowns else Mode.NORMAL,
        submit=submit_unknowns or wait_response,
        wait=wait_response,
        seconds=seconds,
        verbose=context.obj.verbose,
    )
    loaded = load(context.obj.settings, os.environ)
    for warning in loaded.warnings:
        click.echo(escape(warning), err=True)
    ignore_lease_breaks()
    judged = judging.judge_blocking(request, loaded)
    if open_files:
        judged = [_still_the_same(each) for each in judged]
    if as_json:
        click.echo(json.dumps([as_facts(each) for each in judged], indent=2))
    else:
        for each in judged:
            tell(each)
    problems = follow_up(judged, Openers(), open_files=open_files, browse=browse)
    if open_files and not as_json:
        _tell_without_terminal(unopened.notice(judged, problems))
    context.exit(exit_code(judged) or (NOT_JUDGED if problems else 0))


def exit_code(judged: Sequence["Judged"]) -> int:
    """1 if any must be stopped, else 3 if any could not be judged, else 0."""
    actions = {each.decision.action for each in judged}
    if Action.QUARANTINE in actions:
        return STOPPED
    return NOT_JUDGED if Action.WAIT in actions else 0


def tell(judged: "Judged") -> None:
    """Print one line: the word, the name, the reason, and where to read more."""
    action, verdict = judged.decision.action, judged.verdict
    word, colour = ACTIONS[action], _COLOURS[action]
    if judged.looked.found is None and not judged.looked.passes:
        word, colour = NO_FILE, "red"  # nothing comes of waiting for it
    line = f"{show(judged.looked.given)}: {escape(judged.decision.reason)}"
    url = verdict.report_url if verdict is not None else None
    output.marked(word, colour, f"{line}  {url}" if url and url not in line else line)


def as_facts(judged: "Judged") -> dict[str, object]:
    """The keys that programs rely on; what is not known is null."""
    verdict, found = judged.verdict, judged.looked.found
    return {
        "path": show(judged.looked.given),
        "sha256": found.sha256 if found else None,
        "verdict": verdict.kind.value if verdict else None,
        "source": verdict.source if verdict else None,
        "action": ACTIONS[judged.decision.action],
        "detections": verdict.detections if verdict else None,
        "engines": verdict.engines if verdict else None,
        "report_url": verdict.report_url if verdict else None,
        "reason": judged.decision.reason,
    }


def follow_up(
    judged: Sequence["Judged"], openers: Openers, *, open_files: bool, browse: bool
) -> list[FileProblem]:
    """Open what was asked to be opened; say what cannot be, and give it back."""
    problems = []
    for each in judged:
        action, verdict = each.decision.action, each.verdict
        try:
            if open_files and action is Action.RELEASE:
                openers.file(each.looked.path)
            if browse and action is Action.QUARANTINE and verdict and verdict.report_url:
                openers.page(verdict.report_url)
        except FileProblem as problem:
            click.echo(escape(str(problem)), err=True)
            problems.append(problem)
    return problems


def _tell_without_terminal(told: "Notice | None") -> None:
    """Let whoever opened the files by a file manager know of those that stay closed."""
    if told is not None and not unopened.somebody_reads():
        from checkfirst.notify.desktop import Desktop  # noqa: PLC0415  (most have a terminal)

        unopened.tell_blocking(told, Desktop(lambda _: None))


def _still_the_same(judged: "Judged") -> "Judged":
    """Take back the word `open` where the bytes are no longer those that were judged."""
    from checkfirst.service.checking import unchanged_blocking  # noqa: PLC0415  (heavy)

    if judged.decision.action is not Action.RELEASE or unchanged_blocking(judged):
        return judged
    changed = Decision(Action.WAIT, "it changed after it was judged; check it again")
    return replace(judged, decision=changed)
