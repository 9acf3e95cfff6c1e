"""One request that tells whether VirusTotal can be reached and takes the key.

It is the look-up that the daemon does all day, of a file that everybody knows, and passes through
the ledger like any other. (GET /files/upload_url is said to cost nothing and would prove less: not
that this key may look files up.)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from checkfirst.policy.quota import Slot
from checkfirst.sources.virustotal.outside import Api, Quota
from checkfirst.sources.virustotal.reply import Failure, FailureKind, NotKnown, Reach, Report

EICAR = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
"""SHA-256 of the harmless test file of eicar.org."""


class Standing(StrEnum):
    """How the key stands with VirusTotal."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    QUOTA = "quota"
    """Too many requests, by our own count or by VirusTotal's: nothing is known of the key."""
    UNREACHABLE = "unreachable"
    """No answer of VirusTotal's own."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of it."""

    standing: Standing
    message: str
    """One clause in plain words."""
    code: str = ""
    """Of a failure: VirusTotal's error code, or the kind of trouble on the way."""
    until: float | None = None
    """When our own count lets the next request through."""
    server_time: float | None = None
    """What the server's clock said, by its Date header."""
    asked_at: float | None = None
    """When it was asked by our own clock; None: no request was sent."""


async def probe(
    api: Api, quota: Quota, now: Callable[[], float], server_time: Callable[[], float | None]
) -> Probed:
    """Ask once, if the ledger has room. Raises StoreError."""
    permit = await quota.acquire()
    if isinstance(permit, Slot):
        text = f"the quota for this {permit.limit} is spent, by our own count"
        return Probed(Standing.QUOTA, text, until=permit.until)
    reply = None
    try:
        reply = await api.report(EICAR)
    finally:
        if isinstance(reply, Failure) and reply.reach is Reach.UNSENT:
            await quota.unsent(permit)
        else:
            await quota.answered(permit)
    probed = _in_words(reply)
    sent = not (isinstance(reply, Failure) and reply.reach is Reach.UNSENT)
    return replace(probed, server_time=server_time(), asked_at=now() if sent else None)


def _in_words(reply: Report | NotKnown | Failure) -> Probed:
    if isinstance(reply, Report):
        return Probed(Standing.ACCEPTED, "VirusTotal accepts the key")
    if isinstance(reply, NotKnown):
        text = (
            "what answers does not know a file that VirusTotal knows, so it may be another server"
        )
        return Probed(Standing.UNREACHABLE, text, "NotFoundError")
    return _failed(reply)


def _failed(failure: Failure) -> Probed:
    match failure.kind:
        case FailureKind.KEY_REFUSED if failure.reach is not Reach.UNSENT:
            text = f"VirusTotal refuses the key: {failure.message}"
            return Probed(Standing.REFUSED, text, failure.code)
        case FailureKind.THROTTLED:
            text = f"VirusTotal takes no more requests for now: {failure.message}"
            return Probed(Standing.QUOTA, text, failure.code)
        case _:
            text = f"VirusTotal gave no answer: {failure.message}"
            return Probed(Standing.UNREACHABLE, text, failure.code)
