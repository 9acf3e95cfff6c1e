"""Whether the clock can be right."""

from datetime import UTC, datetime

from checkfirst.service.doctor.finding import Finding, note, ok, problem

WRITTEN_AT = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
"""No clock of a machine that runs this program shows an earlier time."""

_AHEAD_SECONDS = 120.0
_OFF_SECONDS = 60.0
_FAR_OFF_SECONDS = 600.0
_TO_DO = "Set the clock, or have it set: sudo timedatectl set-ntp true"


def judge_clock(now: float, newest: float) -> list[Finding]:
    """`newest`: the latest moment in the database; 0 when there is none."""
    shown = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if now < WRITTEN_AT:
        return [problem(f"The clock is wrong: it says {shown}", _TO_DO)]
    if newest > now + _AHEAD_SECONDS:
        ahead = datetime.fromtimestamp(newest, UTC).strftime("%Y-%m-%d %H:%M")
        title = f"The database tells of {ahead} UTC, which is yet to come: the clock was set back"
        return [problem(title, _TO_DO)]
    return [ok(f"The clock says {shown}")]


def judge_against_server(now: float, server: float) -> list[Finding]:
    """Both at about the moment of an answer; nothing when they agree."""
    off = now - server
    if abs(off) < _OFF_SECONDS:
        return []
    way = "ahead of" if off > 0 else "behind"
    title = f"The clock is {round(abs(off))} seconds {way} VirusTotal's"
    return [(problem if abs(off) >= _FAR_OFF_SECONDS else note)(title, _TO_DO)]
