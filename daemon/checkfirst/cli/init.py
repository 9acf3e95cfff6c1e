"""`checkfirst init`: the first questions, and a settings file from their answers.

Nothing is written before the last answer, so Ctrl-C leaves everything as it was.
"""

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checkfirst import interruptible
from checkfirst.cli import output
from checkfirst.cli.options import Options
from checkfirst.clock import SystemClock
from checkfirst.errors import Problem, SettingsError

if TYPE_CHECKING:
    from checkfirst.cli.init_plan import Plan
    from checkfirst.settings.tree import KeyPath

_MODES = ("normal", "stop-unknowns")
_LEVELS = ("none", "problems", "quarantine", "all")
_FOLDERS = frozenset({"released", "quarantine"})
_LONGEST_LINE = 4096


class UnansweredError(Problem):
    """Nobody is there to answer, and the options do not say all that is needed."""

    exit_code = 2


class RefusedError(Problem):
    """VirusTotal does not take the key."""

    exit_code = 1


@click.command()
@click.option("--watch", multiple=True, metavar="FOLDER", help="Watch it; may be given again.")
@click.option("--released", metavar="FOLDER", help="Where files go that may be opened.")
@click.option("--quarantine", metavar="FOLDER", help="Where files go that may not.")
@click.option("--mode", type=click.Choice(_MODES), help="What happens to files nobody knows.")
@click.option("--notify", type=click.Choice(_LEVELS), help="What is told on the desktop.")
@click.option("--key-stdin", is_flag=True, help="Read the API key from standard input.")
@click.option("--at-login", is_flag=True, help="Start the daemon at login, and now.")
@click.option("--yes", is_flag=True, help="Ask nothing: defaults for what no option says.")
@click.option("--replace", is_flag=True, help="Change a settings file that is there already.")
@click.pass_obj
def init(options: Options, /, *, yes: bool, key_stdin: bool, replace: bool, **told: object) -> None:
    """Ask what is to be watched and how, try the API key, and write a settings file.

    It goes into your configuration folder, or to the PATH of --settings. With --yes, or where
    nobody can be asked, the options below say it all.
    """
    from checkfirst.cli import init_plan, init_questions  # noqa: PLC0415  (imports pydantic)

    given = {name: value for name, value in told.items() if value}
    asks = output.may_ask() and not yes and not key_stdin
    if not asks and not (yes or key_stdin or given):
        raise UnansweredError(
            "There is nobody to answer the questions",
            "Say what you want by options, such as: checkfirst init --yes --watch ~/Downloads",
        )
    plan = init_plan.begin_blocking(options.settings, os.environ)
    if plan.old is not None:
        _allow_change(plan, asks=asks, replace=replace)
    plan.take(_changes(given, plan))
    plan.at_login = "at_login" in given
    if asks:
        init_questions.ask(plan, given.keys())
    elif key_stdin:
        _take_key(plan)
    for line in plan.carry_out_blocking():
        output.line(line)
    _tell_trouble(plan.path)
    if plan.at_login:
        from checkfirst.cli.service import install_blocking  # noqa: PLC0415  (seldom wanted)

        output.line()
        install_blocking(plan.path)
    output.line()
    for line in plan.next_steps_blocking():
        output.line(line)


def _tell_trouble(path: Path) -> None:
    """What will not do about the folders, told before the daemon is started on them."""
    from checkfirst.service.doctor import table  # noqa: PLC0415  (heavy, as the rest)
    from checkfirst.service.doctor.rounds import rounds_blocking  # noqa: PLC0415
    from checkfirst.settings.load import load  # noqa: PLC0415
    from checkfirst.vault.grip import ignore_lease_breaks  # noqa: PLC0415

    ignore_lease_breaks()
    installation = table.Installation(
        loaded=load(path, os.environ),
        environ=os.environ,
        clock=SystemClock(),
        token=lambda: secrets.token_hex(6),
        probe=None,
    )
    for name, findings in rounds_blocking(table.places_checks(installation)):
        for each in findings:
            if each.level == "problem":
                output.finding(each.level, name, each.title, each.about, each.to_do)


def _allow_change(plan: "Plan", *, asks: bool, replace: bool) -> None:
    about = os.fsencode(plan.path)
    if replace or (asks and plan.old is not None and plan.old.is_as_shipped):
        return
    if not asks:
        raise UnansweredError(
            "There is a settings file already",
            "--replace changes it; what no option says stays, and the old file stays beside it.",
            about=output.text(about),
        )
    output.note(f"There is a settings file already: {output.text(about)}")
    if plan.faults:
        output.note("It cannot be used as it is:")
        for fault in plan.faults:
            output.note(f"  {fault}")
        question = "Write a new one? The old file stays beside it."
    else:
        question = "Change it? Settings that are not asked for stay as they are."
    if not output.confirm(question):
        raise click.Abort


def _changes(given: Mapping[str, object], plan: "Plan") -> "Mapping[KeyPath, object]":
    """The options as settings."""
    keys: dict[str, KeyPath] = {
        "released": ("released",),
        "quarantine": ("quarantine",),
        "mode": ("mode",),
        "notify": ("notify", "level"),
    }
    try:
        changes: dict[KeyPath, object] = {
            key: plan.written(str(given[name])) if name in _FOLDERS else given[name]
            for name, key in keys.items()
            if name in given
        }
        watch = given.get("watch")
        if isinstance(watch, Sequence):
            changes[("watch",)] = [plan.written(str(folder)) for folder in watch]
    except ValueError as fault:
        raise SettingsError([str(fault)]) from None
    return changes


def _take_key(plan: "Plan") -> None:
    from pydantic import SecretStr  # noqa: PLC0415  (heavy)

    plan.key = SecretStr(interruptible.line_of_standard_input(_LONGEST_LINE).strip())
    probed = plan.try_key_blocking(plan.key)
    if probed.standing == "refused":
        raise RefusedError(f"{probed.message}; nothing is written", "Give another key.")
    if probed.standing != "accepted":
        output.note(f"The key could not be tried: {probed.message}.")
