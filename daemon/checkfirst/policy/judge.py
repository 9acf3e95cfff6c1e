"""From the engines' tally to a verdict.

An engine that ran out of time, crashed or does not know the type has no opinion. `undetected` is
an opinion: for files, clean reports have all their engines there and `harmless` is always 0.
Nothing here knows HTTP; the numbers are hostile input and are never trusted to be numbers.
"""

from collections.abc import Mapping

from checkfirst.model import VerdictKind

MOST_ENGINES = 10_000
"""More engines than that is nonsense; VirusTotal has about 80."""

_NOT_YET = "not analysed yet"
_DETECTIONS = ("malicious", "suspicious")
_OPINIONS = (*_DETECTIONS, "undetected", "harmless")

Judgement = tuple[VerdictKind, int | None, int | None, str]
"""Verdict, detections, engines with an opinion, and the reason in one clause."""


def judge(
    stats: Mapping[str, int] | None,
    last_analysis_date: int | None,
    *,
    malicious_at: int,
    opinions_at_least: int,
    finished: bool = True,
) -> Judgement:
    """Judge a file by `last_analysis_stats` (or the `stats` of an analysis).

    Enough detections condemn, whatever else is missing. To clear, the analysis must be finished
    and dated, the numbers readable, and enough engines must have had an opinion. Values that are
    no sensible numbers count as absent, and never raise.
    """
    if stats is None:
        return VerdictKind.PENDING, None, None, _NOT_YET
    malicious, suspicious, undetected, harmless = (_count(stats.get(key)) or 0 for key in _OPINIONS)
    detections = malicious + suspicious
    opinions = detections + undetected + harmless
    findings = _findings(malicious, suspicious, opinions)

    if detections >= max(malicious_at, 1):
        return VerdictKind.MALICIOUS, detections, opinions, findings
    if doubt := _doubt(stats, last_analysis_date, finished=finished):
        return VerdictKind.PENDING, None, None, doubt
    if opinions < max(opinions_at_least, 1):
        few = f"{_few(opinions)} had an opinion ({opinions_at_least} are asked for)"
        reason = f"{few}; {findings}" if detections else few
        return VerdictKind.UNKNOWN, detections, opinions, reason
    if detections:
        findings = f"only {findings} ({malicious_at} are asked for)"
    return VerdictKind.CLEAN, detections, opinions, findings


def still_stands(
    kind: VerdictKind,
    detections: int | None,
    opinions: int | None,
    *,
    malicious_at: int,
    opinions_at_least: int,
) -> bool:
    """Whether a verdict given earlier is none that these thresholds would not let pass.

    One that condemns stands in any case, and so does one that came without numbers.
    """
    if kind is VerdictKind.MALICIOUS or detections is None or opinions is None:
        return True
    too_few = kind is VerdictKind.CLEAN and opinions < max(opinions_at_least, 1)
    return detections < max(malicious_at, 1) and not too_few


def _doubt(
    stats: Mapping[str, int], last_analysis_date: int | None, *, finished: bool
) -> str | None:
    """Say what keeps a report from being the last word, if anything does."""
    if not finished:
        return "the analysis is not finished"
    if not _whole(last_analysis_date):
        return _NOT_YET
    if any(_count(stats.get(key, 0)) is None for key in _DETECTIONS):
        return "the numbers of the report make no sense"
    return None


def _count(value: object) -> int | None:
    """Take the value for what it says only if so many engines could exist."""
    count = _whole(value)
    return None if count is None or count > MOST_ENGINES else count


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value


def _findings(malicious: int, suspicious: int, opinions: int) -> str:
    detections = malicious + suspicious
    if not detections:
        return f"none of {opinions} engines found anything"
    verb = "calls" if detections == 1 else "call"
    words = [
        word for count, word in ((malicious, "malicious"), (suspicious, "suspicious")) if count
    ]
    return f"{detections} of {opinions} engines {verb} it {' or '.join(words)}"


def _few(opinions: int) -> str:
    if opinions == 0:
        return "no engine"
    return f"only {opinions} engine{'' if opinions == 1 else 's'}"
