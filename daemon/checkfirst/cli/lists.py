"""`checkfirst allow` and `checkfirst block`: the person's own lists, by hash or by file."""

import click

from checkfirst.cli import completing
from checkfirst.cli.options import Options
from checkfirst.store.listed import ListName

_ADD = {
    ListName.ALLOW: """Always release these files from now on, whatever others say of them.

    Files are known by what is in them: give a SHA-256; a FILE, which is hashed where it lies; or
    the number, the name or a pattern of files in the history. A word that looks like a hash is
    one; the file of that name is ./WORD.
    """,
    ListName.BLOCK: """Never release these files from now on, whatever others say of them.

    Files are known by what is in them: give a SHA-256, SHA-1 or MD5; a FILE, which is hashed where
    it lies; or the number, the name or a pattern of files in the history. A word that looks like a
    hash is one; the file of that name is ./WORD.
    """,
}


@click.group()
def allow() -> None:
    """Your own list of what is always released.

    A block beats it, unless the file was restored or released by hand.
    """


@click.group()
def block() -> None:
    """Your own list of what is never released.

    It beats all else but what you restored or released by hand.
    """


def _fill(group: click.Group, name: ListName) -> None:
    """Both groups have the same commands."""
    words = click.argument(
        "words",
        nargs=-1,
        required=True,
        metavar="HASH|FILE|ID...",
        shell_complete=completing.files(),
    )

    @group.command("add", help=_ADD[name], short_help="Put files on the list, by hash or by file.")
    @words
    @click.option("--note", default="", metavar="TEXT", help="Why; told when the list decides.")
    @click.option("--for", "length", metavar="TIME", help="For so long only, such as 30d.")
    @click.pass_context
    def add(context: click.Context, words: tuple[str, ...], note: str, length: str | None) -> None:
        from checkfirst.cli.listing import add as put  # noqa: PLC0415  (hashes; not for --help)

        context.exit(put(context.obj, name, words, note, _seconds(length)))

    @group.command("remove", short_help="Take files off the list, by hash or by file.")
    @words
    @click.pass_context
    def remove(context: click.Context, words: tuple[str, ...]) -> None:
        """Take files off the list, by hash, its first six or more digits, file, name or number."""
        from checkfirst.cli.listing import remove as take_off  # noqa: PLC0415  (likewise)

        context.exit(take_off(context.obj, name, words))

    @group.command("list", short_help="What is on the list, since and until when.")
    @click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
    @click.pass_obj
    def list_(options: Options, *, is_json: bool) -> None:
        """What is on the list, by whom, since and until when; the settings' own too, and where."""
        from checkfirst.cli.list_table import show  # noqa: PLC0415  (likewise)

        show(options, name, is_json=is_json)


def _seconds(length: str | None) -> float | None:
    if length is None:
        return None
    from checkfirst.settings.units import some_duration  # noqa: PLC0415  (for this option alone)

    try:
        return some_duration(length).total_seconds()
    except ValueError as error:
        raise click.UsageError(f"--for: {error}") from error


_fill(allow, ListName.ALLOW)
_fill(block, ListName.BLOCK)
