"""The sources put together, in the order of the settings: which class answers by which name.

A new source is one line in one of the two tables; docs/adding-a-source.md tells the rest.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from checkfirst.clock import Clock
from checkfirst.model import Verdict
from checkfirst.policy.quota import Limits
from checkfirst.settings.places import KNOWN_GOOD
from checkfirst.settings.schema import Settings
from checkfirst.sources import lists, remembered
from checkfirst.sources.alone import Alone, meaning
from checkfirst.sources.chain import Chain
from checkfirst.sources.known_good import KnownGood, identity_blocking
from checkfirst.sources.list_files import FromSettings, ListFiles
from checkfirst.sources.remotes import Remotes
from checkfirst.sources.source import Deliver, LocalSource, Remember, Remote, RemoteSource
from checkfirst.sources.virustotal.client import Client
from checkfirst.sources.virustotal.events import OnEvent
from checkfirst.sources.virustotal.outside import Find, Outside, find_nothing
from checkfirst.sources.virustotal.rules import Rules
from checkfirst.sources.virustotal.worker import VirusTotal
from checkfirst.store.database import Database
from checkfirst.store.ledger import Ledger
from checkfirst.store.lists import Lists as KeptLists
from checkfirst.store.remembered import Remembered as KeptVerdicts
from checkfirst.store.submissions import Submissions
from checkfirst.store.to_submit import ToSubmit

ANSWER_MARGIN_SECONDS = 2.0
"""Fetching the key and opening the connection count towards a request's time as well."""


@dataclass(frozen=True, slots=True)
class Around:
    """What sources are made from."""

    settings: Settings
    database: Database
    clock: Clock
    process: str
    """The name on our claims; see `store.process`."""
    key: SecretStr | None = None
    """VirusTotal's."""
    on_event: OnEvent = lambda _: None
    rules: Rules | None = None
    """For VirusTotal; those of the settings where none are given."""
    find: Find = find_nothing


async def own_lists(
    around: Around, before: FromSettings | None = None
) -> tuple[ListFiles, lists.Lists]:
    """The person's own lists: the files of them that the settings name, and the source.

    `before`: what the files held when they were last read.
    """
    files = ListFiles(around.settings.lists.allow, around.settings.lists.block, before)
    kept = KeptLists(around.database, around.clock)
    source = lists.Lists(await asyncio.to_thread(files.read_blocking), kept.look_up)
    source.reload_weak(await kept.weak())
    return files, source


async def local_sources(around: Around, own: lists.Lists) -> Chain:
    """Those that answer at once, the one whose word weighs most first."""
    names = around.settings.sources
    others = [
        await asyncio.to_thread(LOCAL[name], around)
        for name in names
        if name not in REMOTE and name != own.name
    ]
    alone = REMOTE.keys().isdisjoint(names)
    return Chain([own, *others], around.clock, alone=alone, needed=own.name)


def list_identity(settings: Settings) -> Callable[[], object]:
    """What tells one known-good list from the next; it blocks, and tells none that nobody asks."""
    path = settings.state / KNOWN_GOOD
    return lambda: identity_blocking(path) if "known-good" in settings.sources else None


def note_of(settings: Settings) -> str:
    """Say what a person has to know of the choice of sources; mostly nothing."""
    if REMOTE.keys().isdisjoint(settings.sources):
        return meaning(settings.sources, settings.mode)
    return ""


def remote_sources(around: Around, chain: Chain, deliver: Deliver) -> Remote:
    """Those that are asked after the `chain`; where there are none, the chain is asked again."""
    kept = KeptVerdicts(around.database)

    def build(name: str) -> Callable[[Deliver, Remember], RemoteSource]:
        return lambda deliver, remember: REMOTE[name](around, deliver, remember)

    async def remember(sha256: str, verdict: Verdict) -> None:
        await kept.remember(sha256, verdict, around.clock.now())

    builds = [build(name) for name in around.settings.sources if name in REMOTE]
    if not builds:
        return Alone(chain.answer, deliver, around.clock)
    return Remotes(builds, deliver, remember, around.clock)


def _remembered(around: Around) -> LocalSource:
    chosen, unknowns = around.settings.remember, around.settings.unknowns
    fresh = remembered.Freshness(
        malicious=chosen.malicious.total_seconds(),
        clean=chosen.clean.total_seconds(),
        unknown=chosen.unknown.total_seconds(),
        submits=frozenset(unknowns.submit_types if unknowns.submit else ()),
        malicious_at=around.settings.virustotal.malicious_at,
        opinions_at_least=around.settings.virustotal.opinions_at_least,
    )
    return remembered.Remembered(KeptVerdicts(around.database).recall, fresh, around.clock)


def _virustotal(around: Around, deliver: Deliver, remember: Remember) -> RemoteSource:
    """VirusTotal behind the ledger that all processes share."""
    account = around.settings.virustotal
    timeout = account.timeout.total_seconds()
    limits = Limits(account.per_minute, account.per_day, account.per_month)
    return VirusTotal(
        around.rules or Rules.of(around.settings),
        Outside(
            api=Client(account.url, lambda: around.key, timeout, on_event=around.on_event),
            quota=Ledger(
                around.database,
                around.clock,
                limits,
                timeout + ANSWER_MARGIN_SECONDS,
                account=account.account,
            ),
            submissions=Submissions(around.database),
            to_submit=ToSubmit(around.database, around.process),
            deliver=deliver,
            remember=remember,
            clock=around.clock,
            random=random.random,
            on_event=around.on_event,
            find=around.find,
        ),
    )


LOCAL: Mapping[str, Callable[[Around], LocalSource]] = {
    "remembered": _remembered,
    "known-good": lambda around: KnownGood(around.settings.state / KNOWN_GOOD, around.clock),
}
"""By name, those on this machine but for `lists`; made in a thread, so they may read files."""

REMOTE: Mapping[str, Callable[[Around, Deliver, Remember], RemoteSource]] = {
    "virustotal": _virustotal,
}
"""By name, those that take their time; they hand answers to the one and keep them by the other."""
