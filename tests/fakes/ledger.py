"""The quota ledger without a database: the real arithmetic over lists in memory."""

import itertools

from checkfirst.clock import Clock
from checkfirst.policy import quota, recheck
from checkfirst.store.ledger import Permit

NO_LIMITS = quota.Limits(0, 0, 0)


class FakeLedger:
    """Implements `checkfirst.sources.virustotal.outside.Quota`."""

    def __init__(self, clock: Clock, limits: quota.Limits = NO_LIMITS) -> None:
        self._clock = clock
        self.limits = limits
        self._numbers = itertools.count(1)
        self.open: dict[int, Permit] = {}
        self.answered_at: list[float] = []
        self.days: list[str] = []
        self.given_back = 0
        self.gone_on: list[float] = []
        self.raises: Exception | None = None

    @property
    def pace(self) -> quota.Pace:
        now = self._clock.now()
        used = quota.Used((), self.days.count(quota.day_of(now)), len(self.days))
        return quota.Pace(self.limits, used, now)

    @property
    def counted(self) -> int:
        """Requests that were sent or are on their way."""
        return len(self.days)

    async def acquire(self, *, spare: bool = False) -> Permit | quota.Slot:
        if self.raises is not None:
            raise self.raises
        now = self._clock.now()
        day = quota.day_of(now)
        recent = [at + quota.WINDOW for at in self.answered_at]
        recent += [now + 2 * quota.WINDOW for _ in self.open]
        used = quota.Used(tuple(recent), self.days.count(day), len(self.days))
        slot = (recheck.spare if spare else quota.wait)(self.limits, used, now)
        if not slot.granted:
            return slot
        permit = Permit(next(self._numbers), day, now)
        self.open[permit.id] = permit
        self.days.append(day)
        return permit

    async def answered(self, permit: Permit) -> None:
        self.open.pop(permit.id, None)
        self.answered_at.append(self._clock.now())

    async def goes_on(self, permit: Permit) -> None:
        assert permit.id in self.open
        self.gone_on.append(self._clock.now())
        if self.raises is not None:
            raise self.raises

    async def unsent(self, permit: Permit) -> None:
        del self.open[permit.id]
        self.days.remove(permit.day)
        self.given_back += 1
