"""The questions of `checkfirst init`, one after the other; an option answers its own."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import click
from pydantic import SecretStr

from checkfirst.cli import output
from checkfirst.cli.init_plan import Plan
from checkfirst.errors import SettingsError
from checkfirst.policy.names import show
from checkfirst.service.at_login import systemctl
from checkfirst.settings.places import absolute, home

_TRIES = 5
_ACCOUNT = "https://www.virustotal.com/gui/my-apikey"


def ask(plan: Plan, told: Collection[str]) -> None:
    """Ask what the options in `told` have not said; click.Abort when the person will not go on."""
    _say("Enter takes what stands in [brackets]; Ctrl-C ends it, and nothing is written.")
    _folders(plan, told)
    _mode(plan, told)
    _notifications(plan, told)
    _key(plan)
    _at_login(plan)
    _say("")
    _say("This will be written:")
    settings = plan.settings
    rows = [
        ("settings file", os.fsencode(plan.path)),
        ("watched", b", ".join(map(os.fsencode, settings.watch))),
        ("released", os.fsencode(settings.released)),
        ("quarantine", os.fsencode(settings.quarantine)),
        ("mode", settings.mode.value.encode()),
        ("notifications", settings.notify.level.encode()),
        ("API key", _where_key(plan).encode()),
    ]
    if plan.program is not None:
        rows.append(("command", os.fsencode(plan.program.path)))
    if plan.at_login:
        rows.append(("starts", b"at login, and now"))
    for label, value in rows:
        _say(f"  {label:<13}  {show(value)}")
    if not click.confirm("Write it?", default=True, err=True):
        raise click.Abort


def _folders(plan: Plan, told: Collection[str]) -> None:
    if "watch" in told:
        return
    while True:
        _say("")
        _say("Which folder do your downloads come to?")
        now = [plan.written(str(folder)) for folder in plan.settings.watch]
        folders = [_folder(plan, now[0])]
        for known in now[1:]:
            folders += [known] if click.confirm(f"And {known}?", default=True, err=True) else []
        while click.confirm("Is another folder to be watched?", default=False, err=True):
            folders.append(_folder(plan, None))
        try:
            plan.take({("watch",): folders})
        except SettingsError as error:
            for problem in error.problems:
                _say(f"This cannot be: {problem}")
        else:
            return


def _folder(plan: Plan, default: str | None) -> str:
    while True:
        typed = str(click.prompt("Folder", default=default, err=True))
        try:
            written = plan.written(typed)
        except ValueError as fault:
            _say(f"This cannot be a folder: {fault}.")
            continue
        path = absolute(written, str(Path.cwd()), home(plan.environ))
        if not os.path.lexists(path):
            if click.confirm("It does not exist. Make it?", default=True, err=True):
                return written
        elif not path.is_dir():
            _say("This is no folder.")
        elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            _say("You may not take files out of this folder: it needs read and write permission.")
        else:
            return written


def _mode(plan: Plan, told: Collection[str]) -> None:
    if "mode" in told:
        return
    _say("")
    _say("What is to happen to files that nobody has ever judged?")
    _say('  normal         they are released, marked "unknown"')
    _say("  stop-unknowns  they go to the quarantine")
    choices = ("normal", "stop-unknowns")
    plan.take({("mode",): _choose("Mode", choices, plan.settings.mode.value)})


def _notifications(plan: Plan, told: Collection[str]) -> None:
    if "notify" in told:
        return
    _say("")
    _say("What is to be told on the desktop?")
    _say("  quarantine  what is stopped or held for long, and what is wrong")
    _say("  problems    only what is wrong")
    _say("  all         every file          none  nothing")
    choices = ("none", "problems", "quarantine", "all")
    plan.take({("notify", "level"): _choose("Notifications", choices, plan.settings.notify.level)})


def _choose(what: str, choices: Sequence[str], now: str) -> str:
    return str(
        click.prompt(what, type=click.Choice(choices), default=now, err=True, show_choices=False)
    )


def _key(plan: Plan) -> None:
    _say("")
    known = plan.known_key_blocking().found
    if known is not None:
        _say(f"There is a VirusTotal API key already, from {known.where}.")
        if _is_good(plan, known.key):
            return
    else:
        _say("VirusTotal wants an API key. A free one is on your account page:")
        _say(f"  {_ACCOUNT}")
    for _ in range(_TRIES):
        typed = click.prompt(
            "API key (not shown; Enter: later)",
            hide_input=True,
            default="",
            show_default=False,
            err=True,
        )
        if not typed.strip():
            return
        key = SecretStr(typed.strip())
        if _is_good(plan, key):
            plan.key = key
            return


def _is_good(plan: Plan, key: SecretStr) -> bool:
    """Try the key; where nobody can tell, the person decides."""
    try:
        _say("  trying it …")
        probed = plan.try_key_blocking(key)
    except SettingsError as error:
        _say(f"This can be no key: {error.problems[0]}.")
        return False
    if probed.standing == "accepted":
        _say("  VirusTotal accepts it.")
        return True
    _say(f"  {output.text(probed.message)}.")
    if probed.standing == "refused":
        return False
    return click.confirm("It could not be tried. Use it all the same?", default=True, err=True)


def _at_login(plan: Plan) -> None:
    """Asked only where a service manager answers, and when the daemon could start."""
    has_key = plan.key is not None or plan.known_key_blocking().found is not None
    if plan.at_login or not has_key or not systemctl.is_there_blocking():
        return
    _say("")
    question = "Start checkfirst now, and whenever you log in?"
    plan.at_login = click.confirm(question, default=True, err=True)


def _where_key(plan: Plan) -> str:
    if plan.key is not None:
        return f"in {plan.keyring.name}" if plan.keyring else "in a file that only you can read"
    return "stays as it is" if plan.known_key_blocking().found else "none yet"


def _say(text: str) -> None:
    output.note(text)
