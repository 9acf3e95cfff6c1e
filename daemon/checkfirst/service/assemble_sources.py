"""The sources put together, for the daemon and for `checkfirst check` alike."""

import asyncio
import random

from pydantic import SecretStr

from checkfirst.clock import Clock
from checkfirst.model import Verdict
from checkfirst.policy.quota import Limits
from checkfirst.settings.schema import Settings
from checkfirst.sources import lists, remembered
from checkfirst.sources.chain import Chain
from checkfirst.sources.source import Deliver, Remember
from checkfirst.sources.virustotal.client import Client
from checkfirst.sources.virustotal.events import OnEvent
from checkfirst.sources.virustotal.outside import Outside
from checkfirst.sources.virustotal.rules import Rules
from checkfirst.sources.virustotal.worker import VirusTotal
from checkfirst.store.database import Database
from checkfirst.store.ledger import Ledger
from checkfirst.store.lists import Lists as KeptLists
from checkfirst.store.remembered import Remembered as KeptVerdicts
from checkfirst.store.submissions import Submissions

ANSWER_MARGIN_SECONDS = 2.0
"""Fetching the key and opening the connection count towards a request's time as well."""


async def local_sources(settings: Settings, database: Database, clock: Clock) -> Chain:
    """The sources that answer at once, the one whose word weighs most first."""
    listed = await asyncio.to_thread(
        lists.load_blocking, settings.lists.allow, settings.lists.block
    )
    fresh = remembered.Freshness(
        malicious=settings.remember.malicious.total_seconds(),
        clean=settings.remember.clean.total_seconds(),
        unknown=settings.remember.unknown.total_seconds(),
    )
    return Chain(
        [
            lists.Lists(listed, KeptLists(database, clock).look_up),
            remembered.Remembered(KeptVerdicts(database).recall, fresh, clock),
        ]
    )


def reputation(
    settings: Settings,
    key: SecretStr | None,
    database: Database,
    clock: Clock,
    *,
    deliver: Deliver,
    on_event: OnEvent,
    rules: Rules | None = None,
) -> VirusTotal:
    """VirusTotal behind the ledger that all processes share."""
    account = settings.virustotal
    timeout = account.timeout.total_seconds()
    limits = Limits(account.per_minute, account.per_day, account.per_month)
    return VirusTotal(
        rules or Rules.of(settings),
        Outside(
            api=Client(account.url, lambda: key, timeout, on_event=on_event),
            quota=Ledger(database, clock, limits, timeout + ANSWER_MARGIN_SECONDS),
            submissions=Submissions(database),
            deliver=deliver,
            remember=_remember(database, clock),
            clock=clock,
            random=random.random,
            on_event=on_event,
        ),
    )


def _remember(database: Database, clock: Clock) -> Remember:
    kept = KeptVerdicts(database)

    async def remember(sha256: str, verdict: Verdict) -> None:
        await kept.remember(sha256, verdict, clock.now())

    return remember
