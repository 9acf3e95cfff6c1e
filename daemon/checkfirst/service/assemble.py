"""The daemon put together.

Here and in the two files beside it, and nowhere else, it is known which class plays which part.
"""

import asyncio
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pydantic import SecretStr

from checkfirst.clock import Clock
from checkfirst.intake.look import Settled
from checkfirst.intake.settling import Settling
from checkfirst.model import Answer, Sighting
from checkfirst.policy.settle import Rules as SettleRules
from checkfirst.service.asking import Asking
from checkfirst.service.assemble_deeds import Deeds, open_deeds
from checkfirst.service.assemble_notify import Notifications, notifications
from checkfirst.service.assemble_sources import (
    Around,
    list_identity,
    local_sources,
    own_lists,
    remote_sources,
)
from checkfirst.service.crew import Crew
from checkfirst.service.deeds import Hand
from checkfirst.service.found_again import FoundAgain
from checkfirst.service.hands import Ends, Hands
from checkfirst.service.heed import Heed
from checkfirst.service.line import Line
from checkfirst.service.listener import Listener, Listeners
from checkfirst.service.renewed import Renewed
from checkfirst.service.retention import Retention
from checkfirst.service.steady import Steady
from checkfirst.service.tell import Teller
from checkfirst.service.work import Below
from checkfirst.settings.schema import Settings
from checkfirst.sources.chain import Chain
from checkfirst.sources.list_files import FromSettings
from checkfirst.sources.lists import Lists
from checkfirst.sources.source import Remote
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.lists import Lists as KeptLists
from checkfirst.store.process import process_id
from checkfirst.store.wanted import Wanted
from checkfirst.store.whereabouts import whereabouts
from checkfirst.vault.held import INSIDE
from checkfirst.vault.places import Places
from checkfirst.vault.recover import Recovery
from checkfirst.watch.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Parts:
    """The daemon's parts, wired and not yet running."""

    settings: Settings
    clock: Clock
    steady: Steady
    database: Database
    journal: Journal
    watcher: Watcher
    settling: Settling
    line: Line
    own: Lists
    chain: Chain
    remote: Remote
    recovery: Recovery
    deeds: Deeds
    hands: Hands
    crew: Crew
    wanted: Wanted
    teller: Listener
    notifications: Notifications
    retention: Retention
    heed: Heed
    renewed: Renewed
    sightings: asyncio.Queue[list[Sighting]]


def token() -> str:
    """A random name for a slot or a scratch file."""
    return secrets.token_hex(6)


async def assemble(  # noqa: PLR0913  (what outlasts the parts is handed in)
    settings: Settings,
    key: SecretStr | None,
    database: Database,
    clock: Clock,
    *,
    lock: int,
    steady: Steady,
    stopped: Callable[[], bool],
    listed: FromSettings | None = None,
) -> Parts:
    """Wire everything for these settings; nothing runs yet and no folder is touched.

    `lock` is the descriptor of the daemon's lock, `steady` the time for what cannot be undone.
    Without a `key` VirusTotal must not be among the sources. `listed`: the person's own lists, as
    they were before the settings were read again.
    """
    told = notifications(settings.notify, clock, _local)
    teller = Listeners(Teller(_local), told.herald)
    process = await asyncio.to_thread(process_id)
    journal = Journal(database, process)
    found_again = FoundAgain(partial(whereabouts, database), stopped)
    around = Around(settings, database, clock, process, key, teller.source, find=found_again.open)
    files, own = await own_lists(around, listed)
    chain = await local_sources(around, own)
    sightings: asyncio.Queue[list[Sighting]] = asyncio.Queue()

    def leases(root: bytes) -> bool:
        return watcher.leases(root)

    def below(root: bytes) -> Below:
        return Below(leases(root), settling.marks(root))

    async def settled(batch: list[Settled]) -> None:
        await line.settled(batch)

    hands = Hands(
        await asyncio.to_thread(_ends_blocking, settings),
        os.fsencode(settings.state),
        below=below,
        token=token,
        stopped=stopped,
        kinds=own.kinds,
    )
    crew = Crew(hands, lock, clock, stopped)
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
        expect=crew.expect,
    )
    places = await asyncio.to_thread(_places_blocking, settings, hands)
    deeds = await open_deeds(database, clock)
    recovery = Recovery(
        journal,
        places,
        clock,
        told=teller.found,
        allow=deeds.allow_restored,
        stopped=stopped,
    )

    async def deliver(answer: Answer) -> None:
        await line.answered(answer)

    remote = remote_sources(around, chain, deliver)
    line = Line(
        mode=settings.mode,
        journal=journal,
        chain=chain,
        asking=Asking(remote, clock, teller.names),
        hands=hands,
        choose=crew.choose,
        teller=teller,
        clock=clock,
        token=token,
        mend=recovery.look_again,
        done=settling.done,
        again=settling.again,
    )
    hand = Hand(settings, deeds, clock, unwritten=line.retries.held)
    heed = Heed(own, files, KeptLists(database, clock), journal, clock.now, line.resume)
    heed.tell(own.from_settings)
    identity = list_identity(settings)
    return Parts(
        settings=settings,
        clock=clock,
        steady=steady,
        database=database,
        journal=journal,
        watcher=watcher,
        settling=settling,
        line=line,
        own=own,
        chain=chain,
        remote=remote,
        recovery=recovery,
        deeds=deeds,
        hands=hands,
        crew=crew,
        wanted=Wanted(database),
        heed=heed,
        renewed=Renewed(identity, await asyncio.to_thread(identity), journal, line.resume),
        teller=teller,
        notifications=told,
        retention=Retention(journal, hand.delete, clock, settings.retention.quarantine, steady),
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
        # Files that are taken back from the released folder may be held in it.
        held=(beside, *(os.path.join(root, INSIDE) for root in (*watched, hands.ends.released))),
        released=hands.ends.released,
        quarantine=hands.ends.quarantine,
        relative=hands.relative,
    )


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at).astimezone()
