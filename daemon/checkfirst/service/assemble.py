"""The daemon put together: the only file that knows which concrete class plays which part."""

import asyncio
import os
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from checkfirst.clock import Clock
from checkfirst.intake.look import Settled
from checkfirst.intake.settling import Settling
from checkfirst.model import Answer, Sighting, Verdict
from checkfirst.policy.quota import Limits
from checkfirst.policy.settle import Rules as SettleRules
from checkfirst.service.asking import Asking
from checkfirst.service.assemble_notify import Notifications, notifications
from checkfirst.service.hands import Ends, Hands
from checkfirst.service.line import Line
from checkfirst.service.listener import Listener, Listeners
from checkfirst.service.tell import Teller
from checkfirst.settings.places import DATABASE
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
from checkfirst.store.journal import Journal
from checkfirst.store.ledger import Ledger
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists as KeptLists
from checkfirst.store.process import process_id
from checkfirst.store.remembered import Remembered as KeptVerdicts
from checkfirst.store.submissions import Submissions
from checkfirst.store.wanted import Wanted
from checkfirst.vault.held import INSIDE
from checkfirst.vault.recover import Places, Recovery
from checkfirst.watch.watcher import Watcher

ANSWER_MARGIN_SECONDS = 2.0
"""Fetching the key and opening the connection count towards a request's time as well."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The daemon's parts, wired and not yet running."""

    settings: Settings
    clock: Clock
    database: Database
    journal: Journal
    watcher: Watcher
    settling: Settling
    line: Line
    chain: Chain
    remote: VirusTotal
    recovery: Recovery
    hands: Hands
    wanted: Wanted
    teller: Listener
    notifications: Notifications
    sightings: asyncio.Queue[list[Sighting]]


@dataclass(frozen=True, slots=True)
class Deeds:
    """What a command needs that moves files by a person's will."""

    journal: Journal
    allow: Callable[[str, ListedBy, str], Awaitable[Callable[[], Awaitable[None]]]]
    """Puts a hash on the allow list: hash, by what, a note. What comes back undoes it."""
    wish: Callable[[Sequence[bytes]], Awaitable[None]]
    """Asks the daemon to take files in."""


def open_deeds(database: Database, clock: Clock) -> Deeds:
    """Over an open database."""
    kept, wanted = KeptLists(database, clock), Wanted(database)

    async def allow(sha256: str, by: ListedBy, note: str) -> Callable[[], Awaitable[None]]:
        before = await kept.look_up([sha256])
        await kept.add(Listed(sha256, ListName.ALLOW, by, clock.now(), note))

        async def undo() -> None:
            if before:
                await kept.add(*before.values())
            else:
                await kept.remove(ListName.ALLOW, [sha256])

        return undo

    async def wish(paths: Sequence[bytes]) -> None:
        await wanted.ask(paths, clock.now())

    return Deeds(Journal(database, process_id()), allow, wish)


def token() -> str:
    """A random name for a slot or a scratch file."""
    return secrets.token_hex(6)


async def open_database(settings: Settings, clock: Clock) -> Database:
    """The database of these settings; see `Database.open` for what it raises."""
    return await Database.open(settings.state / DATABASE, clock)


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


async def assemble(
    settings: Settings,
    key: SecretStr,
    database: Database,
    clock: Clock,
    *,
    stopped: Callable[[], bool],
) -> Parts:
    """Wire everything for these settings; nothing runs yet and no folder is touched."""
    told = notifications(settings.notify, clock, _local)
    teller = Listeners(Teller(_local), told.herald)
    journal = Journal(database, process_id())
    chain = await local_sources(settings, database, clock)
    sightings: asyncio.Queue[list[Sighting]] = asyncio.Queue()

    def leases(root: bytes) -> bool:
        return watcher.leases(root)

    async def settled(batch: list[Settled]) -> None:
        await line.settled(batch)

    hands = Hands(
        await asyncio.to_thread(_ends_blocking, settings),
        os.fsencode(settings.state),
        leases=leases,
        token=token,
        stopped=stopped,
    )
    watcher = _watcher(settings, sightings, clock, hands, teller)
    settling = Settling(
        rules=SettleRules(
            settle=settings.intake.settle.total_seconds(),
            longer=False,
            temporary_expires=settings.intake.temporary_expires.total_seconds(),
            ignore=settings.intake.ignore,
        ),
        sightings=sightings,
        settled=settled,
        spares=watcher.spares_blocking,
        clock=clock,
        leases=leases,
    )
    places = await asyncio.to_thread(_places_blocking, settings, hands)
    recovery = Recovery(journal, places, clock)

    async def deliver(answer: Answer) -> None:
        await line.answered(answer)

    remote = reputation(settings, key, database, clock, deliver=deliver, on_event=teller.source)
    line = Line(
        mode=settings.mode,
        journal=journal,
        chain=chain,
        asking=Asking(remote, clock, teller.names),
        hands=hands,
        teller=teller,
        clock=clock,
        token=token,
        mend=recovery.mend,
        done=settling.done,
        again=settling.again,
    )
    return Parts(
        settings=settings,
        clock=clock,
        database=database,
        journal=journal,
        watcher=watcher,
        settling=settling,
        line=line,
        chain=chain,
        remote=remote,
        recovery=recovery,
        hands=hands,
        wanted=Wanted(database),
        teller=teller,
        notifications=told,
        sightings=sightings,
    )


def _watcher(
    settings: Settings,
    sightings: asyncio.Queue[list[Sighting]],
    clock: Clock,
    hands: Hands,
    teller: Listener,
) -> Watcher:
    own = (settings.released, settings.quarantine, settings.state)
    return Watcher(
        [os.fsencode(path) for path in settings.watch],
        recursive=settings.intake.recursive,
        watcher=settings.intake.watcher,
        existing=settings.intake.existing,
        sweep_every=settings.intake.sweep.total_seconds(),
        excluded=frozenset(
            [os.fsencode(path) for path in own]
            + [os.path.join(os.fsencode(path), INSIDE) for path in settings.watch]
        ),
        state=os.fsencode(settings.state),
        sightings=sightings,
        clock=clock,
        moves=hands.moves,
        on_event=teller.watch,
    )


def _ends_blocking(settings: Settings) -> Ends:
    """Links on the way to the folders are followed once, here."""
    return Ends(
        released=os.fsencode(os.path.realpath(settings.released)),
        quarantine=os.fsencode(os.path.realpath(settings.quarantine)),
        keep_parents=settings.intake.recursive,
        link_back=settings.link_back,
    )


def _places_blocking(settings: Settings, hands: Hands) -> Places:
    beside = os.path.join(os.fsencode(settings.state), b"held")
    watched = [os.path.realpath(os.fsencode(path)) for path in settings.watch]
    return Places(
        held=(beside, *(os.path.join(root, INSIDE) for root in watched)),
        released=hands.ends.released,
        quarantine=hands.ends.quarantine,
        relative=hands.relative,
    )


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at).astimezone()
