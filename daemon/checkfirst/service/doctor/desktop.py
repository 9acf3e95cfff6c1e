"""Whether notifications can be shown, when they are wanted."""

from checkfirst.policy.names import escape
from checkfirst.service.doctor.finding import Finding, note, ok


def judge_desktop(*, wanted: bool, why_not: str | None) -> list[Finding]:
    """`why_not`: what stands in the way, in words."""
    if not wanted:
        return [ok("No notifications are wanted (`notify` in the settings)")]
    if why_not is not None:
        to_do = "The log and `checkfirst status` tell everything all the same."
        return [note(f"No notifications are shown: {escape(why_not)}", to_do)]
    return [ok("Notifications can be shown on the desktop")]
