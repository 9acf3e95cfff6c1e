"""The assembly line: from settled files to their end, batch by batch.

One batch takes a thread hop to be held and fingerprinted, one to be moved, and a transaction
before and after each. What a remote source must answer waits in the journal, not in memory; its
answer puts it on the line again. Knows the order of things and nothing of how they are done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from checkfirst.clock import Clock
from checkfirst.errors import CheckfirstError
from checkfirst.finish import finish
from checkfirst.intake.look import Settled
from checkfirst.model import OPEN_STATES, Answer, Arrival, Mode, Sighting, State
from checkfirst.service import steps
from checkfirst.service.asking import Asking
from checkfirst.service.crew import Doer
from checkfirst.service.hands import Hands
from checkfirst.service.judging import judged
from checkfirst.service.lanes import Lanes
from checkfirst.service.listener import Listener
from checkfirst.service.pulse import Pulse
from checkfirst.service.results import Results
from checkfirst.service.retries import Retries
from checkfirst.service.slots import slotted
from checkfirst.service.work import InHand, Missed, Work
from checkfirst.sources.chain import Chain
from checkfirst.store.journal import Journal
from checkfirst.store.step import Facts, Step


class Line:
    """Owns every arrival from settled to ended; every method is called on the loop."""

    def __init__(  # noqa: PLR0913  (the line is where all of it comes together)
        self,
        *,
        mode: Mode,
        journal: Journal,
        chain: Chain,
        asking: Asking,
        hands: Hands,
        choose: Callable[[Sequence[Work]], Doer],
        teller: Listener,
        clock: Clock,
        token: Callable[[], str],
        mend: Callable[[Sequence[int]], Awaitable[list[Arrival]]],
        done: Callable[[Iterable[bytes]], None],
        again: Callable[[Sighting, float], None],
    ) -> None:
        """`choose` says who is to handle a batch, in a thread.

        `mend` brings rows in accord with where their files lie, as after a crash.

        `done` and `again` tell the settling what became of a path; `token` names slots.
        """
        self._mode = mode
        self._journal = journal
        self._chain = chain
        self._asking = asking
        self._hands = hands
        self._choose = choose
        self._tell = teller
        self._clock = clock
        self._token = token
        self._mend = mend
        self._done = done
        self.retries = Retries(clock, self._look_again, again)
        self._results = Results(journal, asking, teller, self.retries, clock)
        self.pulse = Pulse(clock)
        """Of the lanes of the many, whose batches are small enough to end soon."""
        self._lanes = Lanes()
        self._busy: set[int] = set()
        """Ids that are on the line now."""

    async def settled(self, batch: Sequence[Settled]) -> None:
        """Take over settled files; waits while the line is full."""
        for one in batch:
            await self._lanes.put(one)

    async def answered(self, answer: Answer) -> None:
        """A remote source has answered: put all copies of the file on the line again."""
        self._asking.keep(answer)
        for arrival in await self._journal.waiting_for([answer.sha256]):
            await self._lanes.put(
                Work(arrival, verdict=answer.verdict, submitted_at=answer.submitted_at)
            )

    async def resume(self, arrivals: Sequence[Arrival]) -> None:
        """Go on with what the journal holds: judged again, or asked for again."""
        for arrival in arrivals:
            if arrival.state is State.LEFT:
                self.retries.recall(arrival)
            elif arrival.state not in steps.WAITING:  # its folder is away, or another has it
                self.retries.held(arrival.id)
        waiting = [each for each in arrivals if each.state in steps.WAITING]
        prints = [found for each in waiting if (found := self._hands.known(each))]
        try:
            known = await self._chain.answer(prints)
        except CheckfirstError:  # told by the source's health
            for arrival in waiting:
                self.retries.held(arrival.id)
            return
        for arrival in waiting:
            found = self._hands.known(arrival)
            if found is None:
                await self._lanes.put(Work(arrival))
            elif verdict := known.get(found.sha256) or self._asking.answer(found.sha256):
                await self._lanes.put(Work(arrival, verdict=verdict))
            else:
                self._asking.ask([arrival])

    async def run_small(self) -> None:
        """A lane of the many."""
        while True:
            batch = await self._lanes.small()
            with self.pulse.beat():
                await finish(self._process(batch))

    async def run_large(self) -> None:
        """A lane of the large, one file at a time."""
        while True:
            await finish(self._process([await self._lanes.large()]))

    async def run_huge(self) -> None:
        """The lane of what takes seconds to many minutes, one file at a time."""
        while True:
            await finish(self._process([await self._lanes.huge()]))

    async def forget_the_gone(self) -> None:
        """Close the rows of files that could not be taken and that somebody has removed since."""
        left = self.retries.all_left()
        if not left:
            return
        gone = await asyncio.to_thread(self._hands.are_gone_blocking, left)
        facts = Facts(reason="it was removed before it could be taken")
        await self._journal.advance(
            [
                Step(number, frozenset({State.LEFT}), State.GONE, facts)
                for number in self.retries.give_up(gone)
            ]
        )

    async def _look_again(self, ids: list[int]) -> None:
        ids = [number for number in ids if number not in self._busy]
        on = await self._mend(ids)
        rest = set(ids).difference(row.id for row in on)
        for row in await self._journal.several(list(rest)):
            if row.state in OPEN_STATES:  # another process has it in hand
                rest.discard(row.id)
                self.retries.held(row.id)
        for number in rest:  # it has ended meanwhile
            self.retries.well(number)
        await self.resume(on)

    async def _process(self, batch: Sequence[Settled | Work]) -> None:
        """Bring a batch as far as it goes now. One that fails as a whole is tried again."""
        new = [one for one in batch if isinstance(one, Settled)]
        works = self._not_busy(batch)
        self._busy.update(work.arrival.id for work in works)
        try:
            begun = await self._begin(new) if new else []
            works += begun
            self._busy.update(work.arrival.id for work in begun)
            await self._bring_on(works)
        except Exception:
            for work in works:
                self.retries.held(work.arrival.id)
            for one in new:
                self.retries.settle_again(one.sighting)
            raise
        finally:
            self._busy.difference_update(work.arrival.id for work in works)
            self._done([one.sighting.path for one in new])

    def _not_busy(self, batch: Sequence[Settled | Work]) -> list[Work]:
        """Rows that are not on another lane; each once, with the last word on it."""
        rows = {one.arrival.id: one for one in batch if isinstance(one, Work)}
        return [work for number, work in rows.items() if number not in self._busy]

    async def _begin(self, batch: Sequence[Settled]) -> list[Work]:
        """Journal where each new file is to be held, before anything moves."""
        roots = {one.sighting.root for one in batch}
        folders = self._hands.known_folders(roots)
        if folders is None:
            folders = await asyncio.to_thread(self._hands.held_folders_blocking, roots)
        chosen = {root: held for root, held in folders.items() if isinstance(held, bytes)}
        if len(chosen) < len(folders):
            why = {root: str(held) for root, held in folders.items() if root not in chosen}
            await self._leave([one for one in batch if one.sighting.root in why], why)
            batch = [one for one in batch if one.sighting.root in chosen]
        now = self._clock.now()
        placed = slotted(batch, chosen, self._token)
        rows = [self.retries.row_of(one.sighting.path) for one, _ in placed]
        fresh = [place for place, row in zip(placed, rows, strict=True) if not row]
        left = [
            steps.new_work(one, row, held, now)
            for (one, held), row in zip(placed, rows, strict=True)
            if row
        ]
        ids, took = await self._journal.set_out(
            [steps.intent(one, held, now) for one, held in fresh],
            [steps.tried_again(work) for work in left],
        )
        new = [
            steps.new_work(one, number, held, now)
            for (one, held), number in zip(fresh, ids, strict=True)
        ]
        for work in left:
            if work.arrival.id not in took and work.sighting:  # its row has moved on: a new one
                self.retries.taken(work.arrival)
                self.retries.settle_again(work.sighting)
        self._tell.arrived([work.arrival for work in new])
        return [*new, *(work for work in left if work.arrival.id in took)]

    async def _leave(self, batch: Sequence[Settled], why: Mapping[bytes, str]) -> None:
        """Nothing of these folders can be held; of a folder it is told once, not of each file."""
        now = self._clock.now()
        rows = [self.retries.row_of(one.sighting.path) for one in batch]
        fresh = [one for one, row in zip(batch, rows, strict=True) if not row]
        ids = iter(
            await self._journal.begin(
                [steps.not_begun(one, why[one.sighting.root], now) for one in fresh]
            )
        )
        for one, row in zip(batch, rows, strict=True):
            work = steps.new_work(one, row or next(ids), None, now)
            self._results.missed(Missed(work, State.LEFT, why[one.sighting.root], quiet=True))

    async def _bring_on(self, works: Sequence[Work]) -> None:
        began = self._clock.monotonic()
        doer = self._choose(works)
        taken = await asyncio.to_thread(doer.take_blocking, works)
        hands = [one for one in taken if isinstance(one, InHand)]
        try:
            held_at = self._clock.now()
            for hand in hands:
                self.retries.taken(hand.work.arrival)
            self._tell.held([hand for hand in hands if hand.work.arrival.state is State.HOLDING])
            known = await self._chain.answer([hand.fingerprint for hand in hands])
            orders, waiting = judged(hands, known, self._mode, held_at)
            intents = [steps.ordered(order, held_at) for order in orders]
            intents += [steps.waits(hand, held_at) for hand in waiting]
            took = await self._journal.advance(intents)
        except BaseException:
            await asyncio.to_thread(doer.put_down_blocking, hands)
            raise
        mine = [order for order in orders if order.hand.work.arrival.id in took]
        not_now = [o.hand for o in orders if o.hand.work.arrival.id not in took] + waiting
        ended = await asyncio.to_thread(doer.carry_out_blocking, mine, not_now)
        await self._results.record([one for one in taken if isinstance(one, Missed)], ended)
        self._results.ask_for(
            [hand for hand in waiting if hand.work.arrival.id in took], since=began
        )
        for hand in hands:
            if hand.work.arrival.id not in took:  # a command has it, or has ended it
                self.retries.held(hand.work.arrival.id)
        for hand in waiting:
            if hand.work.arrival.id in took:
                self.retries.well(hand.work.arrival.id)
