"""What looks after files that have come to their end, put together over the daemon's parts."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from checkfirst.model import Arrival, Fingerprint, Risk, Sighting, State, Verdict
from checkfirst.policy.hashes import Kind
from checkfirst.service.assemble import Parts
from checkfirst.service.assemble_sources import REMOTE
from checkfirst.service.blocked import Blocked, OtherHashes
from checkfirst.service.deeds import Hand
from checkfirst.service.second_look import LOOK_SECONDS, Means, SecondLook
from checkfirst.service.taking_back import Reach, TakingBack
from checkfirst.store.remembered import Remembered
from checkfirst.store.second_looks import SecondLooks
from checkfirst.vault.release import unlink_back_blocking
from checkfirst.vault.still import Still, others_blocking, still_blocking
from checkfirst.watch.mounts import filesystem_blocking, is_remote


@dataclass(frozen=True, slots=True)
class Looks:
    """What looks after files that have come to their end."""

    blocked: Blocked
    again: SecondLook | None
    """None where nobody far away is asked at all."""


def looks_after(parts: Parts, stopped: Callable[[], bool]) -> Looks | None:
    """None when the settings want none."""
    recheck = parts.settings.recheck
    span, every = recheck.for_.total_seconds(), recheck.every.total_seconds()
    if not span:
        return None
    reach = _reach(parts, stopped)
    others = OtherHashes(lambda: bool(parts.own.kinds()), _reader(stopped))

    def taking() -> TakingBack:
        again_after = min(LOOK_SECONDS, every)
        return TakingBack(reach, parts.teller, parts.clock, again_after=again_after)

    async def local(files: Sequence[Arrival]) -> Verdict | None:
        sha256 = next((each.sha256 for each in files if each.sha256), None)
        if sha256 is None:
            return None
        asked = Fingerprint(sha256, 0, "", Risk.OTHER, await others.of(files) or ())
        return (await parts.chain.answer([asked])).get(sha256)

    blocked = Blocked(
        parts.own.said,
        parts.heed.edition,
        others,
        reach.looks,
        parts.journal,
        taking(),
        parts.clock,
        span=span,
    )
    if REMOTE.keys().isdisjoint(parts.settings.sources):
        return Looks(blocked, None)
    means = Means(
        looks=reach.looks,
        remembered=Remembered(parts.database),
        remote=parts.remote,
        local=local,
        taking=taking(),
        restore=_restorer(parts) if recheck.restore else None,
    )
    return Looks(blocked, SecondLook(means, parts.teller, parts.clock, span=span, every=every))


def _reach(parts: Parts, stopped: Callable[[], bool]) -> Reach:
    async def still(path: bytes, sha256: str) -> Still:
        def look_blocking() -> Still:
            return still_blocking(path, sha256, lease=_leases_blocking(path), stopped=stopped)

        return await asyncio.to_thread(look_blocking)

    async def take(paths: Sequence[bytes]) -> None:
        # As if a person had asked for them: no baseline spares them.
        sightings = [Sighting(os.path.dirname(path), path, asked=True) for path in paths]
        parts.sightings.put_nowait(sightings)

    async def unlink_back(path: bytes, link: bytes) -> None:
        await asyncio.to_thread(unlink_back_blocking, path, link)

    return Reach(
        looks=SecondLooks(parts.database),
        journal=parts.journal,
        still=still,
        unlink_back=unlink_back,
        take=take,
    )


def _reader(
    stopped: Callable[[], bool],
) -> Callable[[Arrival], Awaitable[tuple[str, ...] | None]]:
    kinds = (Kind.SHA1, Kind.MD5)

    def read_blocking(place: bytes, sha256: str, *, is_stopped: bool) -> tuple[str, ...] | None:
        lease = not is_stopped and _leases_blocking(place)
        return others_blocking(
            place, sha256, kinds, lease=lease, is_folder=is_stopped, stopped=stopped
        )

    async def read(file: Arrival) -> tuple[str, ...] | None:
        if file.destination is None or file.sha256 is None:
            return None
        is_stopped = file.state is State.QUARANTINED
        return await asyncio.to_thread(
            read_blocking, file.destination, file.sha256, is_stopped=is_stopped
        )

    return read


def _leases_blocking(path: bytes) -> bool:
    """Network filesystems may refuse a lease for ever."""
    return not is_remote(filesystem_blocking(path))


def _restorer(parts: Parts) -> Callable[[Arrival], Awaitable[bytes | None]]:
    """Restores as a person would, but allows nothing: VirusTotal may change its mind once more."""
    again = parts.line.retries.held
    hand = Hand(parts.settings, parts.deeds, parts.clock, by_person=False, unwritten=again)

    async def restore(file: Arrival) -> bytes | None:
        folder = await asyncio.to_thread(os.path.realpath, parts.settings.released)
        (deed,) = await hand.restore([file], os.fsencode(folder))
        return deed.where

    return restore
