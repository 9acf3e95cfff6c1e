"""`checkfirst quarantine export`: copies for somebody who is to look at them."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checkfirst.cli import completing, output
from checkfirst.cli.outside import outside
from checkfirst.cli.picking import OLDER_THAN, pick_quarantined
from checkfirst.cli.progress import progress
from checkfirst.errors import Problem
from checkfirst.model import Arrival
from checkfirst.policy.names import numbered
from checkfirst.service.overview import row_json

if TYPE_CHECKING:
    from checkfirst.cli.options import Options


@click.command(short_help="Copy files and their reports into an encrypted zip.")
@click.argument(
    "files", nargs=-1, metavar="[FILE...]", shell_complete=completing.files(completing.QUARANTINED)
)
@OLDER_THAN
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    default=".",
    help="The zip to be written, or the folder for it, in place of the current one.",
)
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.pass_context
def export(
    context: click.Context,
    files: tuple[str, ...],
    older_than: float | None,
    to: Path,
    *,
    is_json: bool,
) -> None:
    """Copy files and their reports into a zip with the password "infected".

    For somebody who examines such files. Each is named by its SHA-256; the reports beside it tell
    its name and where it was. The quarantine stays as it is, and nothing is overwritten.
    """
    options: Options = context.obj
    settings = options.load().settings
    folder, candidate = _place(to.absolute())
    real = outside(folder, settings, "exported into")
    rows = pick_quarantined(options, files, older_than)
    if not rows:
        if is_json:
            output.as_json({"path": None, "files": []})
        else:
            output.line("Nothing is that old.")
        return
    from checkfirst.vault.export import PASSWORD, export_blocking  # noqa: PLC0415  (not for --help)

    sizes = {row.sha256: row.size or 0 for row in rows}
    with progress("Writing the zip", sum(sizes.values())) as bar:
        done = export_blocking(rows, os.fsencode(real), candidate(rows), bar.advance)
    for _, problem in done.problems:
        output.problem(problem)
    failed = {row.id for row, _ in done.problems}
    packed = [row for row in rows if row.id not in failed]
    if is_json:
        path = output.text(done.path) if done.path else None
        output.as_json({"path": path, "files": [row_json(row) for row in packed]})
    elif done.path:
        count = f"{len(packed)} {'file' if len(packed) == 1 else 'files'}"
        output.line(f"{count} in {output.text(done.path)}, password {PASSWORD.decode()}")
    context.exit(3 if done.problems else 0)


def _place(to: Path) -> tuple[Path, Callable[[Sequence[Arrival]], Callable[[int], bytes]]]:
    """The folder, and the names to try there: one where it was given, else the first free."""
    if not to.is_dir():
        if to.is_symlink() or to.exists():
            raise _taken(os.fsencode(to))
        return to.parent, lambda _: _only(os.fsencode(to.name))

    def named(rows: Sequence[Arrival]) -> Callable[[int], bytes]:
        first = (rows[0].sha256 or "")[:12]
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        return lambda n: numbered(f"quarantined {first}{more}.zip".encode(), n)

    return to, named


def _only(name: bytes) -> Callable[[int], bytes]:
    def candidate(n: int) -> bytes:
        if n:
            raise _taken(name)
        return name

    return candidate


def _taken(name: bytes) -> Problem:
    return Problem(
        "There is a file of that name already",
        "Nothing is overwritten. Choose another name with --to.",
        about=output.text(name),
    )
