"""The API key, VirusTotal and the way there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from checkfirst.errors import CheckfirstError
from checkfirst.policy.names import escape
from checkfirst.policy.quota import Limits, Used, wait
from checkfirst.service.doctor.finding import Finding, note, ok, problem
from checkfirst.service.doctor.times import judge_against_server
from checkfirst.store.usage import Usage

if TYPE_CHECKING:
    from checkfirst.settings.key import Search
    from checkfirst.sources.virustotal.probe import Probed

_SET = "Give one: checkfirst key set"
_ADVICE = {
    "ClientConnectorDNSError": "See whether this machine is connected, and whether its name "
    "server knows the host.",
    "ClientConnectorCertificateError": "Something between here and VirusTotal reads along, such "
    "as a company's proxy, or the clock is wrong. Its certificate can be named in SSL_CERT_FILE.",
    "NotFoundError": "Mend `virustotal.url`, or what answers there: it must lead to version 3 of "
    "the API, as https://www.virustotal.com/api/v3 does.",
    "ClientHttpProxyError": "See whether the proxy in HTTPS_PROXY is right.",
}
_REACH = "See whether this machine is connected, and what a firewall or proxy says."


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What became of looking for a key."""

    search: "Search | None" = None
    error: CheckfirstError | None = None
    """A place of keys that is broken."""


def judge_key(facts: KeyFacts) -> list[Finding]:
    """What the facts mean; no key is ever told."""
    if facts.error is not None:
        problems = getattr(facts.error, "problems", [str(facts.error)])
        return [problem("The API key cannot be used", "", escape(text)) for text in problems]
    found: list[Finding] = []
    search = facts.search
    if search is None:
        return found
    if search.trouble is not None:
        found.append(note(search.trouble.title, search.trouble.to_do, search.trouble.about))
    if search.found is None:
        return [*found, problem("There is no VirusTotal API key", _SET)]
    if search.found.warning:
        found.append(problem("The API key is not private", "", search.found.warning))
    return [*found, ok(f"The API key is from {search.found.where}")]


def judge_quota(used: Usage, limits: Limits, now: float) -> list[Finding]:
    """How much of the quota is used, by our own count."""
    spans = (
        (used.minute, limits.per_minute, "minute"),
        (used.day, limits.per_day, "day"),
        (used.month, limits.per_month, "month"),
    )
    text = ", ".join(
        f"{spent} of {limit} this {span}" if limit else f"{spent} this {span}"
        for spent, limit, span in spans
    )
    # The minute passes by itself; a day or a month is worth a word.
    slot = wait(limits, Used((), used.day, used.month), now)
    if slot.granted:
        return [ok(f"Requests: {text}")]
    to_do = "Files wait until it is renewed at 00:00 UTC; `checkfirst release` lets one go."
    return [note(f"The quota for this {slot.limit} is spent ({text})", to_do)]


def judge_answer(probed: "Probed | None", why_not: str) -> list[Finding]:
    """What came of the trial request; `why_not`: why there was none."""
    if probed is None:
        return [note(f"VirusTotal was not asked: {why_not}")]
    text = f"{probed.message[:1].upper()}{probed.message[1:]}"
    match probed.standing:
        case "accepted":
            found = [ok(text)]
        case "refused":
            found = [problem(text, "Give another one: checkfirst key set")]
        case "quota":
            found = [note(text, "Whether the key is accepted is not known until then.")]
        case _:
            found = [problem(text, _ADVICE.get(probed.code, _REACH))]
    if probed.server_time is not None and probed.asked_at is not None:
        found += judge_against_server(probed.asked_at, probed.server_time)
    return found


def judge_way(url: str, environ: Mapping[str, str]) -> list[Finding]:
    """What stands between here and VirusTotal, as far as this machine knows."""
    found = []
    host = urlsplit(url).hostname or ""
    if host != "www.virustotal.com":
        found.append(note(f"Requests go to {escape(host)} and not to www.virustotal.com"))
    for name in ("https_proxy", "all_proxy"):
        if address := environ.get(name) or environ.get(name.upper()):
            found.append(note(f"Requests go through a proxy: {_without_password(address)}"))
            break
    return found


def _without_password(address: str) -> str:
    """The host of a proxy alone: what stands before it may be a name and a password."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname or "(unreadable)", parts.port
    except ValueError:
        return "(unreadable)"
    return escape(f"{host}:{port}" if port else host)
