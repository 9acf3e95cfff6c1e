"""Learns what the account may ask for: at start, and once a day.

Needs the account's name, which the settings may give. A failure is tried again and troubles nobody:
the settings' own limits hold meanwhile. Only an account that is not the key's own is told of.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from checkfirst.clock import Clock
from checkfirst.policy.names import escape
from checkfirst.policy.quota import Limits, Slot
from checkfirst.policy.retry import backoff
from checkfirst.sources.virustotal.events import Learned, OnEvent, Problem
from checkfirst.sources.virustotal.outside import Quota
from checkfirst.sources.virustotal.reply import Allowed, Failure, FailureKind, NotKnown, Reach

DAILY = 86_400.0
FIRST_RETRY = 60.0
LAST_RETRY = 3600.0


class Api(Protocol):
    """The one question that is asked."""

    async def quotas(self, account: str) -> Allowed | NotKnown | Failure:
        """Ask what the account may ask for."""
        ...

    async def close(self) -> None:
        """Let go of connections; the next request makes new ones."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account, as a role."""

    name: str
    api: Api
    quota: Quota
    learn: Callable[[Limits], Awaitable[bool]]
    """Keeps what was told; whether it is news."""
    clock: Clock
    on_event: OnEvent

    async def run(self) -> None:
        """Keep what is known of the account up to date until cancelled."""
        tries = 0
        while True:
            seconds = await self._ask(tries)
            tries = tries + 1 if seconds < DAILY else 0
            await self.clock.sleep(seconds)

    async def _ask(self, tries: int) -> float:
        """Ask once; give the seconds until the next time."""
        permit = await self.quota.acquire()
        if isinstance(permit, Slot):
            return max(permit.until - self.clock.now(), 1.0)
        try:
            reply = await self.api.quotas(self.name)
        finally:
            await self.api.close()
        if isinstance(reply, Failure) and reply.reach is Reach.UNSENT:
            await self.quota.unsent(permit)
        else:
            await self.quota.answered(permit)
        if isinstance(reply, Allowed):
            if await self.learn(reply.limits):
                self.on_event(Learned(reply.limits))
            return DAILY
        if isinstance(reply, NotKnown) or _is_forbidden(reply):
            if not tries:
                self.on_event(Problem(_not_own(self.name)))
            return DAILY
        return backoff(tries, FIRST_RETRY, LAST_RETRY, 0.0)


def _is_forbidden(failure: Failure) -> bool:
    """A refused key is told of by whoever looks files up; this is about the account alone."""
    return failure.kind is FailureKind.KEY_REFUSED and failure.code == "ForbiddenError"


def _not_own(name: str) -> str:
    return (
        f"VirusTotal does not show what the account `{escape(name)}` may ask for, as the key is not"
        " that account's own. Mend `virustotal.account`, or take it out; the limits of the settings"
        " hold meanwhile."
    )
