"""The one trial request put together: client, ledger and the server's clock."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime

import aiohttp
from pydantic import SecretStr

from checkfirst.clock import Clock
from checkfirst.policy.quota import Limits, Pace, Slot
from checkfirst.service.assemble_deeds import open_database
from checkfirst.service.assemble_sources import ANSWER_MARGIN_SECONDS
from checkfirst.settings.schema import Settings
from checkfirst.sources.virustotal.client import Client
from checkfirst.sources.virustotal.outside import Quota
from checkfirst.sources.virustotal.probe import Probed, probe
from checkfirst.sources.virustotal.session import new_session
from checkfirst.store.database import Database
from checkfirst.store.ledger import Ledger, Permit

LONGEST_SECONDS = 15.0
"""A person waits for this one; `virustotal.timeout` may be shorter."""


async def probe_key(settings: Settings, key: SecretStr, clock: Clock) -> Probed:
    """Ask once, through the ledger of these settings; raises StoreError."""
    database = await open_database(settings, clock)
    try:
        return await _probe(settings, key, _ledger(settings, database, clock), clock)
    finally:
        await database.close()


async def probe_key_uncounted(settings: Settings, key: SecretStr, clock: Clock) -> Probed:
    """Ask once where there is no database and none may be made yet; see `count_requests`."""
    return await _probe(settings, key, _NoLedger(clock), clock)


async def count_requests(settings: Settings, number: int, clock: Clock) -> None:
    """Enter requests that were sent before there was a ledger, as if they were answered now."""
    database = await open_database(settings, clock)
    try:
        ledger = _ledger(settings, database, clock)
        for _ in range(number):
            permit = await ledger.acquire()
            if isinstance(permit, Permit):
                await ledger.answered(permit)
    finally:
        await database.close()


class _NoLedger:
    """Grants everything."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @property
    def pace(self) -> Pace:
        return Pace(Limits(0, 0, 0))

    async def acquire(self, *, spare: bool = False) -> Permit | Slot:
        del spare
        return Permit(0, "", self._clock.now())

    async def answered(self, permit: Permit) -> None:
        del permit

    async def goes_on(self, permit: Permit) -> None:
        del permit

    async def unsent(self, permit: Permit) -> None:
        del permit


def _ledger(settings: Settings, database: Database, clock: Clock) -> Ledger:
    account = settings.virustotal
    limits = Limits(account.per_minute, account.per_day, account.per_month)
    seconds = account.timeout.total_seconds() + ANSWER_MARGIN_SECONDS
    return Ledger(database, clock, limits, seconds, account=account.account)


async def _probe(settings: Settings, key: SecretStr, quota: Quota, clock: Clock) -> Probed:
    dates: list[str] = []
    account = settings.virustotal
    client = Client(
        account.url,
        lambda: key,
        min(account.timeout.total_seconds(), LONGEST_SECONDS),
        make_session=lambda: _session_noting(dates.append),
    )
    try:
        return await probe(client, quota, clock.now, lambda: _moment(dates))
    finally:
        await client.close()


def _session_noting(note: Callable[[str], None]) -> aiohttp.ClientSession:
    """The usual session, which hands on the Date header of each answer."""

    async def ended(_: object, __: object, end: aiohttp.TraceRequestEndParams) -> None:
        note(end.response.headers.get("Date", ""))

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(ended)
    return new_session(trace)


def _moment(dates: list[str]) -> float | None:
    """Seconds since the epoch; None where the server told none, or nonsense."""
    try:
        return parsedate_to_datetime(dates[-1]).timestamp() if dates else None
    except (ValueError, OverflowError):
        return None
