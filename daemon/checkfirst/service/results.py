"""What a batch has led to: into the journal, told, and kept in mind for another try."""

from collections.abc import Sequence

from checkfirst.clock import Clock
from checkfirst.model import State
from checkfirst.service import steps
from checkfirst.service.asking import Asking
from checkfirst.service.listener import Listener
from checkfirst.service.retries import Retries
from checkfirst.service.work import Done, InHand, Missed, Undone
from checkfirst.sources.lists import Lists
from checkfirst.store.journal import Journal


class Results:
    """The end of the line, for this time."""

    def __init__(
        self, journal: Journal, asking: Asking, teller: Listener, retries: Retries, clock: Clock
    ) -> None:
        self._journal = journal
        self._asking = asking
        self._tell = teller
        self._retries = retries
        self._clock = clock

    async def record(self, missed: Sequence[Missed], ended: Sequence[Done | Undone]) -> None:
        """What could not be brought to hand, and what was carried out or could not be.

        Raises StoreError; nothing is told then.
        """
        now = self._clock.now()
        results = [steps.missing(one, now) for one in missed]
        results += [steps.ended(one, now) for one in ended]
        took = await self._journal.advance(results)
        for one in missed:
            self.missed(one, is_ours=one.work.arrival.id in took)
        for end in ended:
            number = end.order.hand.work.arrival.id
            if isinstance(end, Undone):
                is_first = self._retries.held(number, quiet=end.quiet, undone=end.reason)
                self._tell.undone(end, is_first=is_first)
            elif number in took:
                self._retries.well(number)
                if end.order.verdict.source == Lists.name:
                    self._asking.needless(end.order.hand.fingerprint.sha256)
        self._tell.ended([one for one in ended if isinstance(one, Done)])

    def missed(self, missed: Missed, *, is_ours: bool = True) -> None:
        """Tell of it, once the journal knows, and see to it that it is tried again.

        Where the row is not `is_ours`, a command has it in hand: what is missing has not gone.
        """
        arrival, sighting, quiet = missed.work.arrival, missed.work.sighting, missed.quiet
        if missed.state is State.LEFT and sighting is not None:
            self._tell.left(missed, is_first=self._retries.left(arrival, sighting, quiet=quiet))
            return
        self._retries.taken(arrival)
        if missed.state is State.HELD:
            self._tell.not_judged(missed, is_first=self._retries.held(arrival.id, quiet=quiet))
            return
        self._retries.well(arrival.id)
        if is_ours and arrival.state is not State.HOLDING:
            self._tell.found([arrival._replace(state=State.GONE, reason=missed.reason)])

    def ask_for(self, hands: Sequence[InHand], since: float) -> None:
        """Ask about what waits; an answer that came while it was being put down is used."""
        asked = []
        for hand in hands:
            arrival = steps.identified(hand)
            if self._asking.answer(hand.fingerprint.sha256, since):
                self._retries.soon(arrival.id, 0.0)
            else:
                asked.append(arrival)
        self._asking.ask(asked)
