"""What a person decides in place of checkfirst: files given back, deleted, or let go unjudged.

Works beside a running daemon and without one: each deed claims its row, commits its intent before
anything moves and the result after, with the vault's own moves. Knows neither settings nor words
on a screen; whether a person has been asked is the caller's to see to.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass

from checkfirst.clock import Clock
from checkfirst.errors import FileProblem
from checkfirst.intake.fingerprint import fingerprint_blocking
from checkfirst.model import Arrival, Fingerprint, State, VerdictKind
from checkfirst.policy.names import show
from checkfirst.service.supervise import finish
from checkfirst.store.journal import Facts, Journal, Step
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists
from checkfirst.vault.grip import Grip, grasp_blocking
from checkfirst.vault.hold import remove_slot_blocking
from checkfirst.vault.placed import Placed
from checkfirst.vault.problems import GoneError, translate
from checkfirst.vault.quarantine import PAYLOAD, read_report_blocking
from checkfirst.vault.release import release_blocking
from checkfirst.vault.restore import delete_blocking, restore_blocking

WAITABLE = frozenset({State.HELD, State.WAITING})

_TRIES = 20
_PAUSE = 0.25
"""A row that the daemon is at work on is free again within moments, or has had its end."""
_BECAUSE = "; it was quarantined because: "


class TakenError(FileProblem):
    """Somebody else is at work on the file, or has been."""

    def __init__(self, row: Arrival) -> None:
        super().__init__(
            "Another process is at work on this file, or has just dealt with it",
            f"See what became of it: checkfirst why {row.id}",
            about=show(row.name),
        )


@dataclass(frozen=True, slots=True)
class _Payload:
    folder: bytes
    name: bytes
    sha256: str
    mode: int
    mtime_ns: int | None


class ByHand:
    """The deeds. Each ends before a cancellation is let through, as its file may be moving."""

    def __init__(
        self, journal: Journal, lists: Lists, clock: Clock, leases: Callable[[bytes], bool]
    ) -> None:
        """`leases` tells of a path whether leases mean anything there."""
        self._journal = journal
        self._lists = lists
        self._clock = clock
        self._leases = leases

    async def restore(self, row: Arrival, to: bytes) -> Placed:
        """Give a quarantined file back into the folder `to`, its hash allowed from now on.

        Raises FileProblem (the file is then still in quarantine, and as allowed or blocked as
        before) and StoreError.
        """
        return await finish(self._restore(row, to))

    async def delete(self, row: Arrival) -> tuple[bytes, ...]:
        """Delete a quarantined file for good; what else lay in its folder stays and is returned.

        Raises FileProblem and StoreError.
        """
        return await finish(self._delete(row))

    async def release(
        self, row: Arrival, folder: bytes, relative: bytes, link_back: bytes | None = None
    ) -> Placed:
        """Let a held file go unjudged to `folder`/`relative`, its hash allowed from now on.

        Raises FileProblem (the file is then still held) and StoreError.
        """
        return await finish(self._release(row, folder, relative, link_back))

    async def _restore(self, row: Arrival, to: bytes) -> Placed:
        payload = await asyncio.to_thread(_payload_blocking, row)
        await self._intend(row, {State.QUARANTINED}, State.RESTORING)
        before = await self._allow(payload.sha256, ListedBy.RESTORE, row)
        try:
            placed = await asyncio.to_thread(
                restore_blocking,
                payload.folder,
                to,
                payload.name,
                payload.sha256,
                payload.mode,
                payload.mtime_ns,
            )
        except (FileProblem, OSError) as error:
            await self._put_back(payload.sha256, before)
            raise await self._failed(row, State.RESTORING, "restoring it failed", error) from error
        facts = Facts(
            reason=f"restored by hand{_because(row)}",
            destination=placed.path,
            finished_at=self._clock.now(),
        )
        await self._ended(row, State.RESTORING, State.RESTORED, facts)
        return placed

    async def _delete(self, row: Arrival) -> tuple[bytes, ...]:
        folder = _folder(row)
        await self._intend(row, {State.QUARANTINED}, State.DELETING)
        try:
            strangers = await asyncio.to_thread(delete_blocking, folder)
        except (FileProblem, OSError) as error:
            raise await self._failed(row, State.DELETING, "deleting it failed", error) from error
        facts = Facts(reason=f"deleted by hand{_because(row)}", finished_at=self._clock.now())
        await self._ended(row, State.DELETING, State.DELETED, facts)
        return strangers

    async def _release(
        self, row: Arrival, folder: bytes, relative: bytes, link_back: bytes | None
    ) -> Placed:
        row = await self._claimed(row)
        try:
            grip, found = await asyncio.to_thread(self._in_hand_blocking, row)
        except BaseException:
            await self._journal.unclaim([row.id])
            raise
        with grip:
            stamp = grip.stamp
            now = self._clock.now()
            facts = Facts(
                dev=stamp.dev,
                ino=stamp.ino,
                size=found.size,
                mtime_ns=stamp.mtime_ns,
                sha256=found.sha256,
                content_type=found.content_type,
                risk=found.risk,
                decided_at=now,
                until=None,
                reason="released by hand",
                source="user",
            )
            if row.verdict in {None, VerdictKind.PENDING}:
                facts["verdict"] = VerdictKind.UNKNOWN
            await self._intend(row, WAITABLE, State.RELEASING, facts)
            before = await self._allow(found.sha256, ListedBy.RELEASE, row)
            try:
                placed = await asyncio.to_thread(
                    release_blocking,
                    grip,
                    _held(row),
                    folder,
                    relative,
                    found.sha256,
                    link_back=link_back,
                    restore_mode=row.mode,
                )
            except (FileProblem, OSError) as error:
                await self._put_back(found.sha256, before)
                raise await self._not_released(row, error) from error
        await asyncio.to_thread(remove_slot_blocking, _held(row))
        facts = Facts(destination=placed.path, finished_at=self._clock.now())
        await self._ended(row, State.RELEASING, State.RELEASED, facts)
        return placed

    async def _claimed(self, row: Arrival) -> Arrival:
        """The row as it is now, ours; waits for the daemon to put it down, if it has it in hand."""
        for _ in range(_TRIES):
            if claimed := await self._journal.claim([row.id]):
                if claimed[0].state in WAITABLE:
                    return claimed[0]
                await self._journal.unclaim([row.id])
            now = await self._journal.get(row.id)
            if now is None or now.state not in WAITABLE:
                break
            await self._clock.sleep(_PAUSE)
        raise TakenError(row)

    def _in_hand_blocking(self, row: Arrival) -> tuple[Grip, Fingerprint]:
        held = _held(row)
        try:
            grip = grasp_blocking(held, lease=self._leases(held), insist=True)
        except FileNotFoundError as error:
            raise GoneError(held) from error
        except OSError as error:
            raise translate(error, "open the held file", held) from error
        try:
            return grip, fingerprint_blocking(grip, row.name)
        except OSError as error:
            grip.close()
            raise translate(error, "read the held file", held) from error
        except BaseException:
            grip.close()
            raise

    async def _intend(
        self,
        row: Arrival,
        before: set[State] | frozenset[State],
        after: State,
        facts: Facts | None = None,
    ) -> None:
        step = Step(row.id, frozenset(before), after, facts or Facts(), keep=True)
        if not await self._journal.advance([step]):
            raise TakenError(row)

    async def _ended(self, row: Arrival, before: State, after: State, facts: Facts) -> None:
        await self._journal.advance([Step(row.id, frozenset({before}), after, facts)])

    async def _failed(
        self, row: Arrival, before: State, what: str, error: FileProblem | OSError
    ) -> FileProblem:
        """Back to quarantine; the error to raise."""
        told = _in_words(error, row)
        facts = Facts(reason=f"{what}: {told.title}{_because(row)}")
        await self._ended(row, before, State.QUARANTINED, facts)
        return told

    async def _not_released(self, row: Arrival, error: FileProblem | OSError) -> FileProblem:
        told = _in_words(error, row)
        facts = Facts(reason=f"releasing it by hand failed: {told.title}", decided_at=None)
        if row.verdict is not None:
            facts["verdict"] = row.verdict
        await self._ended(row, State.RELEASING, row.state, facts)
        return told

    async def _allow(self, sha256: str, by: ListedBy, row: Arrival) -> Listed | None:
        """Allow the hash, before the file is anywhere it could be taken from again.

        Returns what was said of it before, so that a move that fails leaves no trace.
        """
        before = (await self._lists.look_up([sha256])).get(sha256)
        now = self._clock.now()
        await self._lists.add(Listed(sha256, ListName.ALLOW, by, now, show(row.name)))
        return before

    async def _put_back(self, sha256: str, before: Listed | None) -> None:
        if before is not None:
            await self._lists.add(before)
        else:
            await self._lists.remove(ListName.ALLOW, [sha256])


def _payload_blocking(row: Arrival) -> _Payload:
    """What restoring needs, from the row or, where that has lost it, from the report."""
    folder = _folder(row)
    report = read_report_blocking(folder)
    sha256 = row.sha256 or (report.sha256 if report else None)
    if sha256 is None:
        raise FileProblem(
            "Nobody knows any more what this file was, so it is not given back",
            "Look at it with `checkfirst quarantine show`, or delete it.",
            about=show(os.path.join(folder, PAYLOAD)),
        )
    mode = row.mode if row.mode is not None else report.mode if report else 0o600
    mtime_ns = row.mtime_ns if row.mtime_ns is not None else report.mtime_ns if report else None
    return _Payload(folder, row.name, sha256, mode, mtime_ns)


def _folder(row: Arrival) -> bytes:
    if row.destination is None:
        raise GoneError(row.origin)
    return row.destination


def _held(row: Arrival) -> bytes:
    if row.held is None:
        raise GoneError(row.origin)
    return row.held


def _in_words(error: FileProblem | OSError, row: Arrival) -> FileProblem:
    return error if isinstance(error, FileProblem) else translate(error, "move the file", row.name)


def _because(row: Arrival) -> str:
    """Why it was quarantined in the first place, whatever was tried since."""
    reason = (row.reason or "").rpartition(_BECAUSE)[2]
    return f"{_BECAUSE}{reason}" if reason else ""
