"""`checkfirst known-good`: the list of files that published hash sets know."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checkfirst.cli import output
from checkfirst.cli.options import Options
from checkfirst.cli.progress import Unit, progress
from checkfirst.clock import SystemClock, iso
from checkfirst.errors import Problem
from checkfirst.policy.names import escape, show
from checkfirst.service.lock import running_pid
from checkfirst.settings.places import KNOWN_GOOD
from checkfirst.sources.knowngood.format import shown_path
from checkfirst.sources.knowngood.reading import KnownGoodList

if TYPE_CHECKING:
    from checkfirst.settings.glance import Glance
    from checkfirst.sources.knowngood.hashset import Advance

NOT_LISTED = 1
_HASH = re.compile(r"[0-9a-fA-F]{64}")
_UNITS = {"bytes": Unit.BYTES, "hashes": Unit.ENTRIES}


@click.group("known-good")
def known_good() -> None:
    """Let published files through without asking anybody: from a list on this machine.

    It is made from NIST's software hash library (a Reference Data Set of version 3, the file that
    ends in .db) or from texts with a SHA-256 on each line.
    """


@known_good.command("import")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
@click.option(
    "--every-product",
    is_flag=True,
    help="Take hacking tools, keyloggers and their like as well, which are left out otherwise.",
)
@click.pass_obj
def import_(options: Options, paths: tuple[Path, ...], *, every_product: bool) -> None:
    """Replace the list by one made from hash sets.

    Several sets become one list; `-` is standard input. The old list serves until the new one is
    whole and checked.
    """
    from checkfirst.sources.knowngood.importing import import_blocking  # noqa: PLC0415  (heavy)

    glance = options.glance()
    now = SystemClock().now()
    done = import_blocking(paths, _list(glance), now, _shown, every_product=every_product)
    what = "hash is" if done.facts.count == 1 else "hashes are"
    output.line(f"{done.facts.count:,} {what} listed now ({done.facts.source}).")
    if done.facts.left_out:
        output.line(f"{done.facts.left_out:,} hashes were left out.")
    for remark in done.remarks:
        output.line(f"{remark}.")
    if "known-good" not in glance.sources:
        output.note("The setting `sources` does not name known-good, so nobody asks this list.")
    elif running_pid(Path(glance.state)) is not None:
        output.line("The running daemon uses it from now on.")


@known_good.command()
@click.argument("files", nargs=-1, required=True, metavar="HASH|FILE...")
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.pass_context
def check(context: click.Context, files: tuple[str, ...], *, is_json: bool) -> None:
    """Whether files are on the list.

    Files are named, or given by their SHA-256. Exit code 1 if any is not on it.
    """
    options: Options = context.obj
    asked = [(each, _sha256(each)) for each in files]
    with _opened(options.glance()) as listed:
        found = [
            (given, sha256, listed.has_blocking(bytes.fromhex(sha256))) for given, sha256 in asked
        ]
    if is_json:
        output.as_json(
            [
                {"given": escape(given), "sha256": sha256, "known_good": known}
                for given, sha256, known in found
            ]
        )
    else:
        for given, _, known in found:
            output.line(f"{'known good' if known else 'not listed'}  {given}")
    context.exit(0 if all(known for *_, known in found) else NOT_LISTED)


@known_good.command()
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.pass_obj
def stats(options: Options, *, is_json: bool) -> None:
    """What the list is made of, and whether it is whole.

    All of it is read, which takes some seconds for millions of hashes.
    """
    with _opened(options.glance()) as listed:
        facts = listed.facts
        with _shown("Checking", facts.count, "hashes") as advance:
            before = 0
            for checked in listed.verify_blocking():
                advance(checked - before)
                before = checked
        if is_json:
            output.as_json(
                {
                    "path": shown_path(listed.path),
                    "source": facts.source,
                    "made_at": iso(facts.made_at),
                    "count": facts.count,
                    "left_out": facts.left_out,
                    "size": facts.size,
                    "bytes_a_hash": round(facts.size / facts.count, 3),
                }
            )
            return
    output.facts(
        [
            ("hashes", f"{facts.count:,}"),
            ("from", facts.source),
            ("imported", output.local(facts.made_at)),
            ("left out", _left_out(facts.left_out)),
            ("size", f"{output.size(facts.size)}, {facts.size / facts.count:.2f} bytes a hash"),
            ("list", os.fsencode(listed.path)),
            ("state", "whole: every checksum is right"),
        ]
    )


@known_good.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(options: Options, *, yes: bool) -> None:
    """Delete the list. Files that only it knows are then asked about."""
    path = _list(options.glance())
    if not path.exists():
        raise _none(path)
    if not yes:
        if not output.may_ask():
            raise Problem("The list is not removed without being asked", "Give --yes to do so.")
        if not output.confirm(f"Delete {shown_path(path)}?"):
            raise click.Abort
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.new").unlink(missing_ok=True)
    output.line("The known-good list is removed.")


def _left_out(count: int) -> str | None:
    return f"{count:,} hashes of products that are no recommendation" if count else None


def _list(glance: "Glance") -> Path:
    return Path(glance.state, KNOWN_GOOD)


@contextmanager
def _opened(glance: "Glance") -> Iterator[KnownGoodList]:
    path = _list(glance)
    listed = KnownGoodList.open_blocking(path)
    if listed is None:
        raise _none(path)
    with listed:
        yield listed


def _none(path: Path) -> Problem:
    return Problem(
        "There is no known-good list",
        "Make one: checkfirst known-good import PATH",
        about=shown_path(path),
    )


def _sha256(given: str) -> str:
    """Of a hash itself, of a file its content's. Raises Problem."""
    from checkfirst.vault.digest import hash_of_blocking  # noqa: PLC0415

    if _HASH.fullmatch(given) and not os.path.lexists(given):
        return given.lower()
    found = hash_of_blocking(os.path.realpath(os.fsencode(given)))
    if found is None:
        raise Problem(
            "This is neither a SHA-256 nor a file that can be read",
            "Give 64 hexadecimal digits, or the path of a regular file.",
            about=show(os.fsencode(given)),
        )
    return found


@contextmanager
def _shown(label: str, total: int | None, unit: str) -> "Iterator[Advance]":
    with progress(label, total, _UNITS[unit]) as bar:
        yield bar.advance
