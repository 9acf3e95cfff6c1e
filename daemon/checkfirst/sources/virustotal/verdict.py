"""From VirusTotal's replies to verdicts. Pure."""

from checkfirst.model import Verdict, VerdictKind
from checkfirst.policy.judge import judge
from checkfirst.sources.virustotal.reply import AnalysisStatus, Report
from checkfirst.sources.virustotal.rules import Rules

NAME = "virustotal"
NEVER_SEEN = "VirusTotal has never seen it"


def report_url(sha256: str) -> str:
    """Give the page that people can look at."""
    return f"https://www.virustotal.com/gui/file/{sha256}"


def of_report(report: Report, rules: Rules) -> Verdict:
    """Judge by a report; pending when it does not tell yet."""
    kind, detections, engines, reason = judge(
        report.stats,
        report.last_analysis_date,
        malicious_at=rules.malicious_at,
        opinions_at_least=rules.opinions_at_least,
    )
    judged_at = None if report.last_analysis_date is None else float(report.last_analysis_date)
    url = report_url(report.sha256)
    return Verdict(kind, NAME, reason, detections, engines, url, report.threats, judged_at)


def of_analysis(status: AnalysisStatus, sha256: str, rules: Rules, now: float) -> Verdict:
    """Judge by an analysis: condemned at any time, cleared only when it is finished."""
    date = status.date or max(int(now), 1)
    kind, detections, engines, reason = judge(
        status.stats,
        date,
        malicious_at=rules.malicious_at,
        opinions_at_least=rules.opinions_at_least,
        finished=status.finished,
    )
    url = report_url(sha256)
    return Verdict(kind, NAME, reason, detections, engines, url, status.threats, float(date))


def unknown(reason: str = NEVER_SEEN, *, submitted: str | None = None) -> Verdict:
    """Nobody has ever judged it; `submitted` is the SHA-256 of a file that was uploaded."""
    url = None if submitted is None else report_url(submitted)
    return Verdict(VerdictKind.UNKNOWN, NAME, reason, report_url=url)
