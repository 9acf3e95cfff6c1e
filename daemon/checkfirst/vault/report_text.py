"""report.txt: what a person finds who looks into a folder of the quarantine."""

from datetime import UTC, datetime

from checkfirst.model import VerdictKind
from checkfirst.policy.names import escape, show
from checkfirst.vault.report import Report


def to_text(report: Report) -> str:
    """The contents of report.txt: for the person who looks into the folder."""
    name = show(report.name)
    lines = [
        f"checkfirst put this file into quarantine: {name}",
        "",
        *_facts_in_words(report),
        "",
        *_opinions_in_words(report),
        "",
        "The file lies beside this text as payload.quarantined. It was made unreadable, so that a",
        "double click cannot open it by mistake; nothing in it was changed.",
        "",
        "If you know the file and want it back:",
        f"    checkfirst quarantine restore {report.id}",
        "If you do not need it:",
        f"    checkfirst quarantine delete {report.id}",
        "(Should the number be unknown there, give the first characters of the SHA-256 instead.)",
        "",
        "VirusTotal gives a second opinion: it gathers what many engines say, and now and then one",
        "of them is wrong. It does not replace an antivirus on this computer.",
    ]
    return "\n".join(lines) + "\n"


def _facts_in_words(report: Report) -> list[str]:
    facts = [
        ("From", show(report.origin)),
        ("Arrived", _when(report.arrived_at)),
        ("Quarantined", _when(report.decided_at)),
        ("Size", f"{report.size:,} bytes"),
        ("Kind", escape(report.content_type) if report.content_type else None),
        ("SHA-256", report.sha256),
        ("Verdict", report.verdict),
        ("Why", escape(report.reason) if report.reason else None),
        ("Said by", escape(report.source) if report.source else None),
        ("Report", escape(report.report_url) if report.report_url else None),
    ]
    return [f"{label + ':':<13}{value}" for label, value in facts if value]


def _opinions_in_words(report: Report) -> list[str]:
    lines = []
    if report.detections is not None and report.engines is not None:
        lines.append(f"{report.detections} of {report.engines} engines call it harmful.")
    elif report.verdict is VerdictKind.UNKNOWN:
        lines.append("No engine has judged it yet; that does not make it harmless.")
    if report.threats:
        lines.append("What they call it:")
        lines.extend(f"    {escape(threat)}" for threat in report.threats)
    return lines or ["There are no engines' opinions on it."]


def _when(at: float | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
