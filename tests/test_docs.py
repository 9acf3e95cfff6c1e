"""The README says what the program does."""

import re
from pathlib import Path

import click
import pytest

from checkfirst.cli.main import TABLE, commands
from checkfirst.model import Action, Mode, Verdict, VerdictKind
from checkfirst.policy.decide import decide
from checkfirst.settings.load import known_keys

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text()


def _command(words: list[str]) -> click.Command:
    found: click.Command = commands
    context = click.Context(commands)
    for word in words:
        assert isinstance(found, click.Group)
        command = found.get_command(context, word)
        assert command is not None, " ".join(words)
        found = command
    return found


def _rows() -> list[str]:
    part = README.split("## Commands")[1].split("## How")[0]
    return [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]


def test_every_command_in_the_readme_exists_and_every_command_is_in_it():
    named = set()
    for row in _rows():
        first, *others = re.findall(r"`([^`]+)`", row)
        words = [word for word in first.split()[1:] if word.islower() and not word.startswith("-")]
        _command(words)
        named.add(words[0])
        for other in others:
            word = other.split()[0]
            if word in TABLE:
                named.add(word)
            else:
                _command([*words[:1], word])
    assert named | {"completion"} == set(TABLE)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_command_of_the_table_loads_and_has_help(name):
    assert _command([name]).help


def test_every_option_in_the_readme_exists():
    everything = " ".join(
        option
        for name in TABLE
        for parameter in _all(_command([name]))
        for option in parameter.opts
    )
    for option in set(re.findall(r"(?<!-)--[a-z][a-z-]+", README)) - {"--help"}:
        assert option in everything, option


def _all(command: click.Command) -> list[click.Parameter]:
    below = command.commands.values() if isinstance(command, click.Group) else []
    return [*command.params, *(each for one in below for each in _all(one))]


def test_every_setting_in_the_readme_exists():
    keys = {".".join(key) for key in known_keys()}
    for key in re.findall(r"`((?:virustotal|unknowns|intake|retention)\.[a-z_.]+)`", README):
        assert key in keys, key


def test_every_link_of_the_documents_leads_somewhere():
    for page in (TOP / "README.md", TOP / "docker" / "README.md", *(TOP / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
            assert link.startswith("https://") or (page.parent / link).exists(), (page, link)


def test_the_main_table_is_the_policy():
    part = README.split("## What happens to a file")[1].split("## Commands")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| ")][1:]
    words = {Action.RELEASE: "release", Action.QUARANTINE: "quarantine", Action.WAIT: "stays held"}
    assert len(rows) == len(VerdictKind)
    for what, normal, stop in rows:
        verdict = Verdict(VerdictKind(what.split(":")[0].strip()), "test", "said so")
        for mode, told in ((Mode.NORMAL, normal), (Mode.STOP_UNKNOWNS, stop)):
            assert words[decide(verdict, mode).action] in told


def test_every_setting_is_gone_by():
    used = "\n".join(
        path.read_text()
        for path in (TOP / "daemon" / "checkfirst").rglob("*.py")
        if "settings" not in path.relative_to(TOP).parts or path.name in {"key.py", "glance.py"}
    )
    for key in known_keys():
        leaf = key[-1]
        assert re.search(rf"\.{leaf}_?\b", used), key
