"""The second look put together, over the parts of the daemon."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence

from checkfirst.model import Arrival, Sighting
from checkfirst.service.assemble import Parts
from checkfirst.service.assemble_sources import REMOTE
from checkfirst.service.deeds import Hand
from checkfirst.service.second_look import Means, SecondLook
from checkfirst.store.remembered import Remembered
from checkfirst.store.second_looks import SecondLooks
from checkfirst.vault.release import unlink_back_blocking
from checkfirst.vault.still import Still, still_blocking
from checkfirst.watch.mounts import filesystem_blocking, is_remote


def second_look(parts: Parts, stopped: Callable[[], bool]) -> SecondLook | None:
    """None when the settings want none, or nobody far away is asked at all."""
    recheck = parts.settings.recheck
    span = recheck.for_.total_seconds()
    if not span or REMOTE.keys().isdisjoint(parts.settings.sources):
        return None

    def look_blocking(path: bytes, sha256: str) -> Still:
        # Network filesystems may refuse a lease for ever.
        lease = not is_remote(filesystem_blocking(path))
        return still_blocking(path, sha256, lease=lease, stopped=stopped)

    async def still(path: bytes, sha256: str) -> Still:
        return await asyncio.to_thread(look_blocking, path, sha256)

    async def take(paths: Sequence[bytes]) -> None:
        # As if a person had asked for them: no baseline spares them.
        sightings = [Sighting(os.path.dirname(path), path, asked=True) for path in paths]
        parts.sightings.put_nowait(sightings)

    async def unlink_back(path: bytes, link: bytes) -> None:
        await asyncio.to_thread(unlink_back_blocking, path, link)

    means = Means(
        looks=SecondLooks(parts.database),
        journal=parts.journal,
        remembered=Remembered(parts.database),
        remote=parts.remote,
        local=parts.chain.answer,
        still=still,
        unlink_back=unlink_back,
        take=take,
        restore=_restorer(parts) if recheck.restore else None,
    )
    every = recheck.every.total_seconds()
    return SecondLook(means, parts.teller, parts.clock, span=span, every=every)


def _restorer(parts: Parts) -> Callable[[Arrival], Awaitable[bytes | None]]:
    """Restores as a person would, but allows nothing: VirusTotal may change its mind once more."""
    hand = Hand(parts.settings, parts.deeds, parts.clock, by_person=False)

    async def restore(file: Arrival) -> bytes | None:
        folder = await asyncio.to_thread(os.path.realpath, parts.settings.released)
        (deed,) = await hand.restore([file], os.fsencode(folder))
        return deed.where

    return restore
