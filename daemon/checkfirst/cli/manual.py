"""The manual page, written from the commands themselves: `make man` puts it into docs.

Plain man(7) macros, so that every reader of manual pages takes it.
"""

import inspect
import sys
import textwrap
from collections.abc import Iterator, Sequence

import click

from checkfirst import __version__
from checkfirst.cli.examples import EXAMPLES
from checkfirst.cli.main import TABLE, commands

_WRITTEN = "2026-11-24"
_FILES = (
    ("./settings.yaml", "The settings, where that is a file of one's own; else the next."),
    ("~/.config/checkfirst/settings.yaml", "The settings. `checkfirst init` writes them."),
    ("~/.local/state/checkfirst", "Journal, log and files that are held."),
    ("~/Quarantine", "What was stopped: a folder for each file, with a report.txt in it."),
    ("~/Downloads/Released", "What may be opened."),
)
_VARIABLES = (
    ("CHECKFIRST_SETTINGS", "The settings file, where --settings names none."),
    ("CHECKFIRST_VIRUSTOTAL__API_KEY", "The key. Every setting has such a variable."),
    ("NO_COLOR", "No colours, whatever its value."),
    ("FORCE_COLOR", "Colours in pipes too, whatever its value."),
)
_EXIT = (
    ("0", "All is well."),
    ("1", "Something was found, stopped or is wrong."),
    ("2", "The command or the settings are wrong."),
    ("3", "It could not be done."),
    ("130", "Interrupted."),
)


def page() -> str:
    """The whole page, in roff."""
    root = click.Context(commands, info_name="checkfirst", **commands.context_settings)
    first, *rest = _paragraphs(commands)
    lines = [
        '.\\" Written by `make man` from the commands; do not edit.',
        f'.TH CHECKFIRST 1 "{_WRITTEN}" "checkfirst {__version__}" "User Commands"',
        ".SH NAME",
        rf"checkfirst \- {_text(first[0].lower() + first[1:].rstrip('.'))}",
        ".SH SYNOPSIS",
        ".B checkfirst",
        r"[\fIOPTIONS\fR] \fICOMMAND\fR [\fIARGUMENTS\fR]",
        ".SH DESCRIPTION",
        *_body(rest),
        ".SH OPTIONS",
        *_options(root),
    ]
    for group in dict.fromkeys(entry.group for entry in TABLE.values()):
        lines.append(f".SH {_text(group.upper())}")
        for name in (name for name, entry in TABLE.items() if entry.group == group):
            lines += _command(root, name)
    lines += [*_table("EXIT STATUS", _EXIT), *_table("ENVIRONMENT", _VARIABLES)]
    lines += _table("FILES", _FILES)
    return "\n".join(lines) + "\n"


def _command(parent: click.Context, name: str) -> Iterator[str]:
    group = parent.command
    command = group.get_command(parent, name) if isinstance(group, click.Group) else None
    if command is None or command.hidden:
        return
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f".SS {_text(context.command_path)}"
    yield f".B {_text(context.command_path)}"
    yield _text(usage)
    yield ".PP"
    yield from _body(_paragraphs(command))
    yield from _options(context)
    if example := EXAMPLES.get(context.command_path.removeprefix("checkfirst ")):
        yield from (".PP", "Example:", ".nf", f"    {_text(example)}", ".fi")
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from _command(context, below)


def _paragraphs(command: click.Command) -> list[str]:
    return [part for part in inspect.cleandoc(command.help or "").split("\n\n") if part.strip()]


def _body(paragraphs: Sequence[str]) -> Iterator[str]:
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ".PP"
        if paragraph.startswith("\b"):
            yield ".nf"
            yield from map(_text, paragraph.splitlines()[1:])
            yield ".fi"
        else:
            yield from _wrapped(paragraph)


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or not record[1] or "--help" in parameter.opts:
            continue
        yield ".TP"
        yield f".B {_text(record[0])}"
        yield from _wrapped(record[1])


def _table(title: str, rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield f".SH {title}"
    for term, words in rows:
        yield ".TP"
        yield f".B {_text(term)}"
        yield _text(words)


def _wrapped(words: str) -> list[str]:
    """Lines that do not tire a person who reads the page as it lies."""
    return list(
        map(_text, textwrap.wrap(words, 70, break_long_words=False, break_on_hyphens=False))
    )


def _text(words: str) -> str:
    """Escaped for roff: no line of ours is taken for a request, and a hyphen stays one."""
    escaped = words.replace("\\", r"\e").replace("-", r"\-").replace("…", "...")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    sys.stdout.write(page())
