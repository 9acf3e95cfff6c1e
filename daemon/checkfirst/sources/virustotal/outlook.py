"""Says of each waiting question why it waits and until when, for status and the log. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from checkfirst.model import Outlook
from checkfirst.policy.quota import Pace, Slot, Turns
from checkfirst.sources.virustotal.obstacle import Obstacle
from checkfirst.sources.virustotal.queue import Case, Stage

_DOING = {
    Stage.DELIVER: "VirusTotal has answered",
    Stage.LANDED: "submitted to VirusTotal",
    Stage.LOOK_UP: "VirusTotal is being asked",
    Stage.UPLOAD: "being submitted to VirusTotal",
    Stage.POLL: "being analysed by VirusTotal",
}

_REQUESTS = frozenset({Stage.LOOK_UP, Stage.UPLOAD, Stage.POLL})


@dataclass(frozen=True, slots=True)
class Moment:
    """The state of things at which one looks."""

    now: float
    monotonic: float
    obstacle: Obstacle | None
    slot: Slot | None
    """What the ledger said when it last had no room; None once it had."""
    pace: Pace

    @property
    def start(self) -> float:
        """When the first request may go, as far as can be told; since the epoch."""
        if self.obstacle is not None:
            return self.wall(self.obstacle.until)
        return self.now if self.slot is None else max(self.slot.until, self.now)

    def wall(self, monotonic: float) -> float:
        """Turn a monotonic moment into one since the epoch."""
        return self.now + max(monotonic - self.monotonic, 0.0)


def outlooks(cases: Sequence[Case], moment: Moment) -> list[Outlook]:
    """Give the outlook of those that somebody waits for, in the order of `cases`."""
    found = []
    before = 0
    turns = Turns(moment.pace, moment.start)
    for case in cases:
        if case.wanted:
            found.append(_outlook(case, before, moment, turns))
        if not case.in_hand and case.due <= moment.monotonic and case.stage in _REQUESTS:
            before += 1
    return found


def spent(slot: Slot) -> str:
    """Say which quota leaves no room."""
    if slot.limit == "minute":
        return "VirusTotal's quota for this minute is spent"
    word = {"day": "daily", "month": "monthly"}.get(slot.limit, slot.limit)
    return f"VirusTotal's {word} quota is spent"


def _outlook(case: Case, before: int, moment: Moment, turns: Turns) -> Outlook:
    if case.in_hand or case.stage in {Stage.DELIVER, Stage.LANDED}:
        return Outlook(case.sha256, _DOING[case.stage], None)
    if case.due > moment.monotonic:
        until = max(moment.wall(case.due), moment.start)
        return Outlook(case.sha256, case.why or _DOING[case.stage], until)
    ahead = f" ({before} before it)" if before else ""
    return Outlook(case.sha256, _why(case, moment) + ahead, turns.after(before))


def _why(case: Case, moment: Moment) -> str:
    if moment.obstacle is not None:
        return moment.obstacle.reason
    if moment.slot is not None and moment.slot.limit != "minute":
        return spent(moment.slot)
    if case.stage is Stage.POLL:
        return _DOING[case.stage]
    what = "be submitted to" if case.stage is Stage.UPLOAD else "be looked up at"
    return f"waiting for its turn to {what} VirusTotal"
