"""The command line: finds the command, and turns whatever goes wrong into words.

A command's module is imported when the command is called and not before, so that the short ones
are quick; help is written from the table below. Knows no command's insides.
"""

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from checkfirst import __version__
from checkfirst.cli import output, screen
from checkfirst.cli.examples import attach
from checkfirst.cli.options import Options
from checkfirst.errors import CheckfirstError, Problem

_COMPLETE = "_CHECKFIRST_COMPLETE"
"""Set by the scripts of `checkfirst completion`, which ask what to offer."""

INTERRUPTED = 130
"""128 and SIGINT, as shells have it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the help, and where the command is."""

    group: str
    summary: str
    module: str

    def load(self, name: str) -> click.Command:
        """Import it; the function is called as the command is, `_command` added where taken."""
        module = importlib.import_module(f"checkfirst.cli.{self.module}")
        command = getattr(module, name.replace("-", "_"))
        if not isinstance(command, click.Command):
            raise TypeError(f"checkfirst.cli.{self.module}.{name} is no command")
        attach(command, name)
        return command


_STAND = "Stand guard"
_LOOK = "Look"
_ACT = "Decide for yourself"
_SET = "Set up"

TABLE = {
    "run": Entry(_STAND, "Stand guard over the watched folders, in the foreground.", "run"),
    "check": Entry(_STAND, "Judge files where they lie, and open them if they may be.", "check"),
    "demo": Entry(_STAND, "Show all of it, offline, in a throw-away folder.", "demo"),
    "status": Entry(_LOOK, "What runs, what waits and until when, and what is wrong.", "status"),
    "history": Entry(_LOOK, "What happened to each file.", "history"),
    "why": Entry(_LOOK, "All that is known of one file, and the reason for what was done.", "why"),
    "log": Entry(_LOOK, "Read the log, or follow it.", "log"),
    "quarantine": Entry(_ACT, "List, restore, delete, export what was quarantined.", "quarantine"),
    "release": Entry(_ACT, "Let held files go, on your own responsibility.", "release"),
    "allow": Entry(_ACT, "Your own list of what is always released.", "lists"),
    "block": Entry(_ACT, "Your own list of what is never released.", "lists"),
    "take": Entry(_ACT, "Have files judged that were there before.", "take"),
    "known-good": Entry(_ACT, "Let published files through by a list of them.", "known_good"),
    "init": Entry(_SET, "Ask the first questions, and write a settings file.", "init"),
    "settings": Entry(_SET, "Show the settings, check them, or say where they are.", "settings"),
    "key": Entry(_SET, "Keep your VirusTotal API key, try it, or remove it.", "key"),
    "service": Entry(_SET, "Have the daemon started when you log in.", "service"),
    "doctor": Entry(_SET, "Look for what is wrong, and say what to do.", "doctor"),
    "desktop": Entry(_SET, "Put `Open with Check First` into your file manager.", "desktop"),
    "completion": Entry(_SET, "Print what makes your shell complete commands.", "completion"),
}


_OTHER_WORDS = {
    "config": "settings",
    "help": "--help",
    "start": "run",
    "version": "--version",
    **{word: f"quarantine {word}" for word in ("delete", "export", "list", "restore", "show")},
}
"""What people type for it who come from other programs, or leave out."""


class Commands(click.Group):
    """The commands of the table, each imported when it is called."""

    def invoke(self, ctx: click.Context) -> object:
        """Run it; a reader who has had enough is no error, for which click takes him."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return 0

    def list_commands(self, _: click.Context) -> list[str]:
        """In the order of the table."""
        return list(TABLE)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one that is asked for."""
        entry = TABLE.get(cmd_name)
        if cmd_name == "run":
            _keep_hang_ups()
        return entry.load(cmd_name) if entry else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name what may be meant by a command that there is not."""
        word = args[0]
        if word not in TABLE and not word.startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches  # noqa: PLC0415  (seldom wanted)

            close = get_close_matches(word, TABLE, 1)
            meant = _OTHER_WORDS.get(word) or (close[0] if close else None)
            question = f" Did you mean {meant!r}?" if meant else ""
            ctx.fail(f"No such command {word!r}.{question}")
        return super().resolve_command(ctx, args)

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """In named groups."""
        for group in dict.fromkeys(entry.group for entry in TABLE.values()):
            with formatter.section(group):
                lines = [(name, e.summary) for name, e in TABLE.items() if e.group == group]
                formatter.write_dl(lines, col_max=12)

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list["click.shell_completion.CompletionItem"]:
        """From the table, as click itself would import every command for its summary."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  (for completion alone)

        found = [
            CompletionItem(name, help=entry.summary)
            for name, entry in TABLE.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine, 1 something was found, stopped or is wrong, 2 the command or the "
    "settings are wrong, 3 it could not be done.",
)
@click.option(
    "--settings",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The settings file, in place of the one that is found.",
)
@click.option("--verbose", is_flag=True, help="Show where in the program an error arose.")
@click.version_option(__version__, prog_name="checkfirst", message="%(prog)s %(version)s")
@click.pass_context
def commands(context: click.Context, settings: Path | None, *, verbose: bool) -> None:
    """Judge every download before you can open it.

    Files that arrive in the watched folders are taken out of reach, looked up, and then moved: to
    the released folder when they may be opened, to the quarantine when they may not.
    """
    context.obj = Options(settings, verbose)
    if not screen.has_colours():
        context.color = False  # else click goes by the stream alone


def _keep_hang_ups() -> None:
    """Have a SIGHUP wait from now until the daemon listens, instead of ending it on its way up."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def entry() -> None:
    """The console script."""
    sys.exit(run_blocking(sys.argv[1:]))


def run_blocking(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code; every error has been told."""
    output.begin()
    if os.environ.get(_COMPLETE):
        from checkfirst.cli.completing import teach_fish  # noqa: PLC0415  (for completion alone)

        teach_fish()
    try:
        return _run_in_words(arguments)
    except BrokenPipeError:  # whoever read us has enough
        screen.give_up()
        return 0


def _run_in_words(arguments: Sequence[str]) -> int:
    try:
        code = commands.main(list(arguments), prog_name="checkfirst", standalone_mode=False)
        output.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        if "--verbose" in arguments:
            raise
        told = _in_words(error)
        output.problem(told)
        try:
            output.flush()
        except OSError:  # that was it, or it comes on top: a full disk behind the output
            screen.give_up()
        return told.exit_code
    return code if isinstance(code, int) else 0


def _in_words(error: Exception) -> CheckfirstError:
    if isinstance(error, CheckfirstError):
        return error
    if isinstance(error, OSError) and error.strerror:
        about = error.filename
        name = about if isinstance(about, bytes) else os.fsencode(about or "")
        shown = name.decode(errors="backslashreplace")
        to_do = "`checkfirst doctor` looks for what is wrong." if about else ""
        return Problem(f"The system refused ({error.strerror})", to_do, about=shown)
    return Problem(
        f"checkfirst itself went wrong ({type(error).__name__}: {error})",
        "Run the command again with --verbose before it, as in `checkfirst --verbose status`, and "
        "report what it prints.",
    )
