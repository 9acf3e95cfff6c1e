"""`checkfirst doctor`: what is wrong, and what to do."""

import asyncio
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checkfirst.cli import output
from checkfirst.cli.options import Options
from checkfirst.clock import SystemClock
from checkfirst.errors import CheckfirstError, Problem
from checkfirst.patience import within_blocking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr

    from checkfirst.service.doctor.finding import Finding
    from checkfirst.settings.load import Loaded
    from checkfirst.sources.virustotal.probe import Probed

_SECONDS = 5.0


@click.command()
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.option("--offline", is_flag=True, help="Do not ask VirusTotal whether the key is accepted.")
@click.option(
    "--report",
    type=click.Path(allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Write what a bug report needs, without key, names and hashes; - prints it.",
)
@click.option("--with-names", is_flag=True, help="Leave names of files in the report.")
@click.pass_obj
def doctor(
    options: Options, /, *, is_json: bool, offline: bool, report: Path | None, with_names: bool
) -> int:
    """Look for everything that usually goes wrong, and say what to do about it.

    Changes nothing: a scratch file in each watched folder is gone at once. VirusTotal is asked one
    question when there is a key and the quota has room. Exit code 1: there is a problem.
    """
    loaded, found = _look_blocking(options, offline=offline, shows=not (is_json or report))
    problems = sum(each.level == "problem" for _, each in found)
    if report is not None:
        from checkfirst.cli.doctor_report import write_blocking  # noqa: PLC0415  (seldom wanted)

        write_blocking(report, found, loaded, with_names=with_names)
    if is_json:
        output.as_json({"problems": problems, "findings": [_as_json(*each) for each in found]})
    elif report is None:
        output.line()
        output.line(_sum(problems))
    return 1 if problems else 0


def _look_blocking(
    options: Options, *, offline: bool, shows: bool
) -> "tuple[Loaded | None, list[tuple[str, Finding]]]":
    from checkfirst.vault.grip import ignore_lease_breaks  # noqa: PLC0415  (heavy, as below)

    ignore_lease_breaks()
    loaded, error = _load_blocking(options)
    found = []
    for name, findings in _rounds(loaded, error, offline=offline):
        for finding in findings:
            found.append((name, finding))
            if shows:
                output.finding(finding.level, name, finding.title, finding.about, finding.to_do)
    return loaded, found


def _load_blocking(options: Options) -> "tuple[Loaded | None, CheckfirstError | None]":
    """The settings and what is wrong with them; both, when they cannot be looked at to the end."""
    from checkfirst.settings.load import load  # noqa: PLC0415

    def look_blocking(*, compare: bool) -> "Loaded":
        return within_blocking(
            _SECONDS, lambda: load(options.settings, os.environ, compare=compare), "settings"
        )

    try:
        return look_blocking(compare=True), None
    except CheckfirstError as fault:
        return None, fault
    except TimeoutError:
        hung = Problem(
            "A folder that the settings name does not answer",
            "A network mount may be dead: unmount it, or mend it. No command gets further before.",
        )
    try:
        return look_blocking(compare=False), hung
    except (CheckfirstError, TimeoutError):
        return None, hung


def _rounds(
    loaded: "Loaded | None", error: CheckfirstError | None, *, offline: bool
) -> "Iterator[tuple[str, list[Finding]]]":
    from checkfirst.service.doctor import table  # noqa: PLC0415
    from checkfirst.service.doctor.rounds import rounds_blocking  # noqa: PLC0415

    yield "settings", table.settings_findings(loaded, error)
    checks = [table.machine_check()]
    if loaded is not None:
        checks += table.checks(
            table.Installation(
                loaded=loaded,
                environ=os.environ,
                clock=SystemClock(),
                token=lambda: secrets.token_hex(6),
                probe=None if offline else lambda key: _probe_blocking(loaded, key),
            )
        )
    yield from rounds_blocking(checks)


def _probe_blocking(loaded: "Loaded", key: "SecretStr") -> "Probed":
    from checkfirst.service.assemble_probe import probe_key  # noqa: PLC0415

    return asyncio.run(probe_key(loaded.settings, key, SystemClock()))


def _as_json(name: str, finding: "Finding") -> dict[str, object]:
    return {
        "check": name,
        "level": finding.level.value,
        "title": finding.title,
        "about": finding.about or None,
        "to_do": finding.to_do or None,
    }


def _sum(problems: int) -> str:
    if not problems:
        return "Nothing is wrong."
    return "There is 1 problem." if problems == 1 else f"There are {problems} problems."
