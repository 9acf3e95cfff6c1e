import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from checkfirst.cli import manual
from checkfirst.cli.examples import EXAMPLES
from checkfirst.cli.main import commands, run_blocking
from tests import snapshots

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "checkfirst.1"


def walked(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    yield context.command_path.removeprefix("checkfirst").strip(), command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from walked(below, click.Context(below, info_name=name, parent=context))


ALL = dict(
    walked(commands, click.Context(commands, info_name="checkfirst", **commands.context_settings))
)
LEAVES = [path for path, command in ALL.items() if not isinstance(command, click.Group)]


def as_file(path: str) -> str:
    return path.replace(" ", "-") or "checkfirst"


@pytest.mark.parametrize("path", ALL)
def test_help_is_as_it_was(path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert run_blocking([*path.split(), "--help"]) == 0
    text = capsys.readouterr().out
    summaries = re.sub(r"[A-Z]\]?\.\.\.", "", text)
    assert "..." not in summaries, "a summary is too long: give the command a short_help"
    snapshots.same(f"help/{as_file(path)}", text)


def test_no_help_is_kept_of_a_command_that_is_gone():
    assert snapshots.kept("help") == set(map(as_file, ALL))


def understood(line: str) -> str:
    """Parse the command in a line of a shell; which command it is."""
    said = re.search(r"checkfirst [^)\"#>]*", line)
    assert said is not None
    words = shlex.split(said[0])[1:]
    context, command, path = None, commands, []
    while isinstance(command, click.Group):
        context = command.make_context(command.name, list(words), parent=context)
        rest = [*context._protected_args, *context.args]
        name, command, words = command.resolve_command(context, rest)
        path.append(name)
    command.make_context(command.name, words, parent=context)
    return " ".join(path)


@pytest.mark.parametrize("path", LEAVES)
def test_each_command_has_an_example_that_it_understands(path):
    assert path in EXAMPLES, "add one to cli/examples.py"
    assert understood(EXAMPLES[path]) == path


def test_what_the_page_about_commands_shows_is_understood():
    page = (DOCS / "commands.md").read_text()
    blocks = "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    lines = [line for line in blocks.splitlines() if "checkfirst" in line]
    assert len(lines) > 10
    for line in lines:
        assert understood(line) in LEAVES


def test_no_example_is_kept_of_a_command_that_is_gone():
    assert set(EXAMPLES) == set(LEAVES)


def test_the_manual_page_is_what_the_commands_say():
    assert PAGE.read_text(encoding="utf-8") == manual.page(), "make man"


@pytest.mark.parametrize(
    ("program", "arguments"), [("man", ["--warnings", "-l"]), ("mandoc", ["-Tlint"])]
)
def test_the_manual_page_is_sound(program, arguments):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run([program, *arguments, PAGE], capture_output=True, text=True, check=False)
    complaints = done.stderr + (done.stdout if program == "mandoc" else "")
    assert (done.returncode, complaints) == (0, "")


def test_hostile_help_cannot_become_a_request():
    assert manual._text(".so /etc/passwd") == r"\&.so /etc/passwd"
    assert manual._text("'\\*x") == r"\&'\e*x"
