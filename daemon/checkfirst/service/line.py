"""The assembly line: from settled files to their end, batch by batch.

One batch takes a thread hop to be held and fingerprinted, one to be moved, and a transaction
before and after each. What a remote source must answer waits in the journal, not in memory; its
answer puts it on the line again. Knows the order of things and nothing of how they are done.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from checkfirst.clock import Clock
from checkfirst.intake.look import Settled
from checkfirst.model import (
    Action,
    Answer,
    Arrival,
    Mode,
    Question,
    Sighting,
    State,
    Verdict,
)
from checkfirst.policy.decide import decide
from checkfirst.policy.retry import backoff
from checkfirst.service import steps
from checkfirst.service.hands import Hands, fingerprint_of
from checkfirst.service.later import Later
from checkfirst.service.supervise import finish
from checkfirst.service.tell import Teller
from checkfirst.service.work import Done, InHand, Missed, Ordered, Undone, Work
from checkfirst.sources.chain import Chain
from checkfirst.sources.remembered import Remembered
from checkfirst.sources.source import RemoteSource
from checkfirst.store.journal import Facts, Journal, Step

_log = logging.getLogger(__name__)

BATCH_FILES = 128
"""Files in one batch; each has a descriptor open, and two batches may be on the way."""
BATCH_BYTES = 64 * 1024 * 1024
LARGE_BYTES = 8 * 1024 * 1024
"""From here on a file goes by the lane of the large ones, so that no small one waits behind it."""

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
LEFT_AGAIN_SECONDS = 300.0

ANSWERS_KEPT_SECONDS = 60.0
"""So long a remote answer serves copies on their way, even where nothing is remembered."""


class Line:
    """Owns every arrival from settled to ended; every method is called on the loop."""

    def __init__(  # noqa: PLR0913  (the line is where all of it comes together)
        self,
        *,
        mode: Mode,
        journal: Journal,
        chain: Chain,
        remote: RemoteSource,
        hands: Hands,
        teller: Teller,
        clock: Clock,
        token: Callable[[], str],
        mend: Callable[[Sequence[Arrival]], Awaitable[list[Arrival]]],
        done: Callable[[Iterable[bytes]], None],
        again: Callable[[Sighting, float], None],
    ) -> None:
        """`mend` brings rows in accord with where their files lie, as after a crash.

        `done` and `again` tell the settling what became of a path; `token` names slots.
        """
        self._mode = mode
        self._journal = journal
        self._chain = chain
        self._remote = remote
        self._hands = hands
        self._tell = teller
        self._clock = clock
        self._token = token
        self._mend = mend
        self._done = done
        self._again = again
        self._small: asyncio.Queue[Work] = asyncio.Queue(4 * BATCH_FILES)
        self._large: asyncio.Queue[Work] = asyncio.Queue(4 * BATCH_FILES)
        self.later = Later(clock, self._look_again)
        self._tries: dict[int, int] = {}
        self._left: dict[bytes, tuple[int, int]] = {}
        """Origin to id and number of tries, of what could not be taken."""
        self._busy: set[int] = set()
        """Ids that are on the line now."""
        self._answers: dict[str, tuple[Verdict, float]] = {}
        """The last answers of the remote source, for copies that asked while it was given."""

    async def settled(self, batch: Sequence[Settled]) -> None:
        """Take over settled files; waits while the line is full."""
        now = self._clock.now()
        for one in batch:
            arrival = Arrival(
                id=self._left.get(one.sighting.path, (0, 0))[0],
                state=State.HOLDING,
                root=one.sighting.root,
                origin=one.sighting.path,
                size=one.stamp.size,
                arrived_at=now,
            )
            await self._put(Work(arrival, one.stamp, one.sighting))

    async def answered(self, answer: Answer) -> None:
        """A remote source has answered: put all copies of the file on the line again."""
        if len(self._answers) > 1024:  # noqa: PLR2004  (a bound; the oldest answer goes)
            self._answers.pop(next(iter(self._answers)))
        self._answers[answer.sha256] = (answer.verdict, self._clock.monotonic())
        for arrival in await self._journal.waiting_for([answer.sha256]):
            await self._put(Work(arrival, verdict=answer.verdict, submitted_at=answer.submitted_at))

    async def resume(self, arrivals: Sequence[Arrival]) -> None:
        """Go on with what the journal holds: judged again, or asked for again."""
        for arrival in arrivals:
            if arrival.state is State.LEFT:
                self._left[arrival.origin] = (arrival.id, 0)
            elif arrival.state not in steps.WAITING:  # its folder is away, or another has it
                self._retry(arrival.id)
        waiting = [each for each in arrivals if each.state in steps.WAITING]
        prints = [found for each in waiting if (found := fingerprint_of(each))]
        known = await self._chain.answer(prints)
        for arrival in waiting:
            found = fingerprint_of(arrival)
            if found is None:
                await self._put(Work(arrival))
            elif verdict := known.get(found.sha256) or self._answer(found.sha256):
                await self._put(Work(arrival, verdict=verdict))
            else:
                self._ask([arrival])

    async def run_small(self) -> None:
        """The lane of the many."""
        while True:
            await finish(self._process(await _batch(self._small)))

    async def run_large(self) -> None:
        """A lane of the large; one file at a time, and there may be several such lanes."""
        while True:
            await finish(self._process([await self._large.get()]))

    async def forget_the_gone(self) -> None:
        """Close the rows of files that could not be taken and that somebody has removed since."""
        gone = await asyncio.to_thread(self._hands.are_gone_blocking, list(self._left))
        ids = [self._left.pop(path)[0] for path in gone if path in self._left]
        facts = Facts(reason="it was removed before it could be taken")
        await self._journal.advance(
            [Step(number, frozenset({State.LEFT}), State.GONE, facts) for number in ids]
        )

    async def _put(self, work: Work) -> None:
        large = (work.arrival.size or 0) >= LARGE_BYTES
        await (self._large if large else self._small).put(work)

    async def _look_again(self, ids: list[int]) -> None:
        rows = [row for number in ids if (row := await self._journal.get(number))]
        await self.resume(await self._mend([row for row in rows if row.id not in self._busy]))

    async def _process(self, batch: Sequence[Work]) -> None:
        """Bring a batch as far as it goes now. One that fails as a whole is tried again."""
        works = [work for work in _distinct(batch) if work.arrival.id not in self._busy]
        try:
            works = await self._intend(works)
            self._busy.update(work.arrival.id for work in works)
            await self._bring_on(works)
        except Exception:
            for work in works:
                if work.sighting:
                    self._again(work.sighting, FIRST_RETRY_SECONDS)
                if work.arrival.id:
                    self._retry(work.arrival.id)
            raise
        finally:
            self._busy.difference_update(work.arrival.id for work in works)
            self._done([work.sighting.path for work in batch if work.sighting])

    async def _intend(self, works: Sequence[Work]) -> list[Work]:
        """Journal where each new file is to be held, before anything moves."""
        new = [work for work in works if work.arrival.state is State.HOLDING]
        if not new:
            return list(works)
        placed = await self._with_places(new)
        fresh = [(work, held) for work, held in placed if not work.arrival.id]
        ids = await self._journal.begin([steps.intent(work, held) for work, held in fresh])
        known = [
            Work(replace(work.arrival, id=number, held=held), work.stamp, work.sighting)
            for (work, held), number in zip(fresh, ids, strict=True)
        ]
        old = [
            replace(work, arrival=replace(work.arrival, held=held))
            for work, held in placed
            if work.arrival.id
        ]
        took = await self._journal.advance(
            [
                Step(
                    work.arrival.id,
                    frozenset({State.LEFT, State.HOLDING}),
                    State.HOLDING,
                    Facts(held=work.arrival.held, root=work.arrival.root),
                    keep=True,
                )
                for work in old
            ]
        )
        for work in old:
            if work.arrival.id not in took and work.sighting:  # its row has moved on: a new one
                self._not_left(work.arrival)
                self._again(work.sighting, FIRST_RETRY_SECONDS)
        self._tell.arrived([work.arrival for work in known])
        held = [work for work in works if work.arrival.state is not State.HOLDING]
        return [*known, *(work for work in old if work.arrival.id in took), *held]

    async def _with_places(self, works: Sequence[Work]) -> list[tuple[Work, bytes]]:
        """Choose a slot for the batch; names that come twice get another."""
        roots = {work.arrival.root for work in works}
        folders = await asyncio.to_thread(self._held_folders_blocking, roots)
        slots: dict[tuple[bytes, int], bytes] = {}
        seen: dict[tuple[bytes, bytes], int] = {}
        placed = []
        for work in works:
            folder = folders[work.arrival.root]
            name = work.arrival.name
            turn = seen[folder, name] = seen.get((folder, name), -1) + 1
            if (folder, turn) not in slots:
                slots[folder, turn] = os.path.join(folder, self._token().encode())
            held = os.path.join(slots[folder, turn], name)
            placed.append((work, held))
        return placed

    def _held_folders_blocking(self, roots: Iterable[bytes]) -> dict[bytes, bytes]:
        return {root: self._hands.held_folder_blocking(root).path for root in roots}

    async def _bring_on(self, works: Sequence[Work]) -> None:
        began = self._clock.monotonic()
        taken = await asyncio.to_thread(self._hands.take_blocking, works)
        hands = [one for one in taken if isinstance(one, InHand)]
        try:
            held_at = self._clock.now()
            for hand in hands:  # what comes to its origin next is another arrival
                self._not_left(hand.work.arrival)
            self._tell.held([hand for hand in hands if hand.work.arrival.state is State.HOLDING])
            known = await self._chain.answer([hand.fingerprint for hand in hands])
            orders, waiting = self._judge(hands, known)
            intents = [steps.ordered(order, held_at) for order in orders]
            intents += [steps.waits(hand, held_at) for hand in waiting]
            took = await self._journal.advance(intents)
        except BaseException:
            await asyncio.to_thread(self._hands.put_down_blocking, hands)
            raise
        mine = [order for order in orders if order.hand.work.arrival.id in took]
        not_now = [o.hand for o in orders if o.hand.work.arrival.id not in took] + waiting
        ended, _ = await asyncio.gather(
            asyncio.to_thread(self._hands.carry_out_blocking, mine),
            asyncio.to_thread(self._hands.put_down_blocking, not_now),
        )
        await self._record([one for one in taken if isinstance(one, Missed)], ended)
        self._ask_for([hand for hand in waiting if hand.work.arrival.id in took], since=began)
        for hand in hands:
            if hand.work.arrival.id not in took:  # a command has it, or has ended it
                self._retry(hand.work.arrival.id)

    def _judge(
        self, hands: Sequence[InHand], known: dict[str, Verdict]
    ) -> tuple[list[Ordered], list[InHand]]:
        orders, waiting = [], []
        now = self._clock.now()
        for hand in hands:
            verdict = _weightier(known.get(hand.fingerprint.sha256), hand.verdict)
            decision = decide(verdict, self._mode) if verdict else None
            if verdict is None or decision is None or decision.action is Action.WAIT:
                waiting.append(hand)
            else:
                orders.append(Ordered(hand, verdict, decision, now))
        return orders, waiting

    async def _record(self, missed: Sequence[Missed], ended: Sequence[Done | Undone]) -> None:
        now = self._clock.now()
        results = [steps.missing(one, now) for one in missed]
        results += [steps.ended(one, now) for one in ended]
        took = await self._journal.advance(results)
        for one in missed:
            self._after_missing(one)
        for end in ended:
            number = end.order.hand.work.arrival.id
            if isinstance(end, Undone):
                self._tell.undone(end, is_first=number not in self._tries)
                self._retry(number)
            elif number in took:
                self._tries.pop(number, None)
        self._tell.ended([one for one in ended if isinstance(one, Done)])

    def _after_missing(self, missed: Missed) -> None:
        arrival, sighting = missed.work.arrival, missed.work.sighting
        if missed.state is State.LEFT and sighting is not None:
            tries = self._left.get(arrival.origin, (arrival.id, 0))[1]
            self._left[arrival.origin] = (arrival.id, tries + 1)
            self._tell.left(missed, is_first=not tries)
            self._again(sighting, backoff(tries, FIRST_RETRY_SECONDS, LEFT_AGAIN_SECONDS, 0.0))
            return
        self._not_left(arrival)
        if missed.state is State.HELD:
            self._tell.not_judged(missed, is_first=arrival.id not in self._tries)
            self._retry(arrival.id)

    def _not_left(self, arrival: Arrival) -> None:
        if self._left.get(arrival.origin, (0, 0))[0] == arrival.id:
            del self._left[arrival.origin]

    def _retry(self, number: int) -> None:
        tries = self._tries[number] = self._tries.get(number, -1) + 1
        pause = backoff(tries, FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, 0.0)
        self.later.put(number, pause)

    def _ask_for(self, hands: Sequence[InHand], since: float) -> None:
        """Ask about what waits; an answer that came while it was being put down is used."""
        asked = []
        for hand in hands:
            arrival = steps.identified(hand)
            if self._answer(hand.fingerprint.sha256, since):
                self.later.put(arrival.id, 0.0)
            else:
                asked.append(arrival)
        self._ask(asked)

    def _answer(self, sha256: str, since: float | None = None) -> Verdict | None:
        verdict, at = self._answers.get(sha256, (None, 0.0))
        earliest = self._clock.monotonic() - ANSWERS_KEPT_SECONDS if since is None else since
        return verdict if at >= earliest else None

    def _ask(self, arrivals: Sequence[Arrival]) -> None:
        questions = []
        for arrival in arrivals:
            found = fingerprint_of(arrival)
            if found is not None and arrival.held is not None:
                since = arrival.arrived_at or self._clock.now()
                questions.append(
                    Question(found.sha256, found.size, found.risk, arrival.held, since)
                )
                self._tell.names(found.sha256, arrival.name)
        if questions:
            self._remote.ask(questions)


async def _batch(queue: asyncio.Queue[Work]) -> list[Work]:
    """Wait for one, then take what is there, up to a batch."""
    batch = [await queue.get()]
    size = batch[0].arrival.size or 0
    while len(batch) < BATCH_FILES and size < BATCH_BYTES and not queue.empty():
        batch.append(queue.get_nowait())
        size += batch[-1].arrival.size or 0
    return batch


def _weightier(local: Verdict | None, remote: Verdict | None) -> Verdict | None:
    """A person's list outranks a remote answer, which outranks what is remembered of it."""
    if remote is not None and (local is None or local.source == Remembered.name):
        return remote
    return local


def _distinct(batch: Sequence[Work]) -> list[Work]:
    """Each row once, the last word on it; new files have no row yet."""
    rows = {work.arrival.id: work for work in batch if work.arrival.id}
    return [*(work for work in batch if not work.arrival.id), *rows.values()]
