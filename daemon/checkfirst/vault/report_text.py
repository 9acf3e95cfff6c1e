"""report.txt: what a person finds who looks into a folder of the quarantine."""

import textwrap
from datetime import UTC, datetime

from checkfirst.model import VerdictKind
from checkfirst.policy.names import escape, show
from checkfirst.policy.sizes import readable
from checkfirst.policy.threats import by_name
from checkfirst.vault.report import Report

_WIDTH = 90
_BELOW = " " * 8


def to_text(report: Report) -> str:
    """The contents of report.txt: for the person who looks into the folder."""
    lines = [
        "checkfirst put this file into quarantine",
        "",
        *_facts_in_words(report),
        "",
        *_opinions_in_words(report),
        "",
        "The file lies beside this text as payload.quarantined. It was made unreadable, so that a",
        "double click cannot open it by mistake; nothing in it was changed.",
        "",
        "What you can do, in a terminal:",
        "",
        "  have it back, if you know it and trust it",
        f"    checkfirst quarantine restore {report.id}",
        "  delete it for good",
        f"    checkfirst quarantine delete {report.id}",
        "  send it to somebody who examines such files (a zip, password: infected)",
        f"    checkfirst quarantine export {report.id}",
        "  see all that happened to it",
        f"    checkfirst why {report.id}",
        "",
        f"Should it be unknown there by that number, say {report.sha256[:12]} instead.",
        "",
        "VirusTotal gives a second opinion: it gathers what many engines say, and now and then one",
        "of them is wrong. It does not replace an antivirus on this computer.",
    ]
    return "\n".join(lines) + "\n"


def _facts_in_words(report: Report) -> list[str]:
    facts = [
        ("File", show(report.name)),
        ("From", show(report.origin)),
        ("Loaded from", escape(report.origin_url) if report.origin_url else None),
        ("Arrived", _when(report.arrived_at)),
        ("Quarantined", _when(report.decided_at)),
        ("Why", escape(report.reason) if report.reason else None),
        ("Said by", escape(report.source) if report.source else None),
        ("Report", escape(report.report_url) if report.report_url else None),
        ("Verdict", report.verdict),
        ("Kind", escape(report.content_type) if report.content_type else None),
        ("Size", _size(report.size)),
        ("SHA-256", report.sha256),
    ]
    return [f"{label + ':':<13}{value}" for label, value in facts if value]


def _opinions_in_words(report: Report) -> list[str]:
    lines = []
    if report.detections is not None and report.engines is not None:
        lines.append(f"{report.detections} of {report.engines} engines call it harmful.")
    elif report.verdict is VerdictKind.UNKNOWN:
        lines.append("No engine has judged it yet; that does not make it harmless.")
    if report.threats:
        lines.append(_called(report))
        for name, engines in by_name(report.threats):
            lines.extend(_named(escape(name), ", ".join(map(escape, engines))))
    return lines or ["There are no engines' opinions on it."]


def _called(report: Report) -> str:
    named = len(report.threats)
    if report.detections is not None and report.detections > named:
        return f"What they call it ({named} of the {report.detections}):"
    return "What they call it:"


def _named(name: str, engines: str) -> list[str]:
    """A name on one line where the engines fit behind it, else they go below it."""
    short = f"    {name}  ({engines})" if engines else f"    {name}"
    if len(short) <= _WIDTH:
        return [short]
    return [
        f"    {name}",
        *textwrap.wrap(engines, _WIDTH, initial_indent=_BELOW, subsequent_indent=_BELOW),
    ]


def _size(count: int) -> str:
    exact = f"{count:,} bytes" if count != 1 else "1 byte"
    return exact if count < 1000 else f"{readable(count)} ({exact})"  # noqa: PLR2004  (1 kB)


def _when(at: float | None) -> str | None:
    """As the clock on the wall had it, and how far that is from UTC."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S (UTC%z)")
