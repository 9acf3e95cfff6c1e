"""From VirusTotal's replies to verdicts. Pure."""

from checkfirst.model import Verdict, VerdictKind
from checkfirst.policy.judge import Judgement, judge
from checkfirst.sources.virustotal.reply import AnalysisStatus, Report
from checkfirst.sources.virustotal.rules import Rules

NAME = "virustotal"
NEVER_SEEN = "VirusTotal has never seen it"


def report_url(sha256: str) -> str:
    """Give the page that people can look at."""
    return f"https://www.virustotal.com/gui/file/{sha256}"


def of_report(report: Report, rules: Rules) -> Verdict:
    """Judge by a report; pending when it does not tell yet."""
    judgement = judge(
        report.stats,
        report.last_analysis_date,
        malicious_at=rules.malicious_at,
        opinions_at_least=rules.opinions_at_least,
    )
    judged_at, first_seen_at = _moment(report.last_analysis_date), _moment(report.first_seen)
    return _verdict(judgement, report.sha256, report.threats, judged_at, first_seen_at)


def of_analysis(status: AnalysisStatus, sha256: str, rules: Rules, now: float) -> Verdict:
    """Judge by an analysis: condemned at any time, cleared only when it is finished."""
    date = status.date or max(int(now), 1)
    judgement = judge(
        status.stats,
        date,
        malicious_at=rules.malicious_at,
        opinions_at_least=rules.opinions_at_least,
        finished=status.finished,
    )
    # Only files that VirusTotal had never seen are uploaded: it first saw this one then.
    return _verdict(judgement, sha256, status.threats, float(date), float(date))


def _verdict(
    judgement: Judgement,
    sha256: str,
    threats: tuple[str, ...],
    judged_at: float | None,
    first_seen_at: float | None,
) -> Verdict:
    kind, detections, engines, reason = judgement
    return Verdict(
        kind,
        NAME,
        reason,
        detections,
        engines,
        report_url(sha256),
        threats,
        judged_at=judged_at,
        first_seen_at=first_seen_at,
    )


def unknown(reason: str = NEVER_SEEN, *, submitted: str | None = None) -> Verdict:
    """Nobody has ever judged it; `submitted` is the SHA-256 of a file that was uploaded."""
    url = None if submitted is None else report_url(submitted)
    return Verdict(VerdictKind.UNKNOWN, NAME, reason, report_url=url)


def _moment(seconds: int | None) -> float | None:
    return None if seconds is None else float(seconds)
