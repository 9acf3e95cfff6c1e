"""The questions that wait, and which is next. Knows neither time nor network.

Look-ups and uploads come first, the more dangerous class of file before the other and the earlier
before the later; then polls of unfinished analyses; last the second looks, for which nobody waits.
A class counts as much as having come an hour earlier, and so does being a look-up and no upload:
neither waits for ever behind what keeps coming.
"""

import heapq
import itertools
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum

from checkfirst.model import Question, Verdict
from checkfirst.policy.names import show
from checkfirst.policy.risk import PRIORITY
from checkfirst.sources.virustotal.reply import Descriptor, Failure
from checkfirst.store.ledger import Permit
from checkfirst.store.submissions import Submission

AGEING_SECONDS = 3600.0


class Stage(IntEnum):
    """What is to be done next about a question; the smaller goes first."""

    DELIVER = 0
    """The verdict is there and must be handed over; costs no request."""
    LANDED = 1
    """An upload has ended and its result must be looked at; costs no request."""
    LOOK_UP = 2
    UPLOAD = 3
    POLL = 4
    AGAIN = 5
    """A look-up for which there must be quota to spare."""


@dataclass(slots=True, eq=False)
class Case:
    """One question and how far it has come."""

    question: Question
    held: list[bytes]
    """Where copies of the bytes lie."""
    stage: Stage = Stage.LOOK_UP
    wanted: bool = True
    """Whether somebody waits for the answer."""
    due: float = 0.0
    """Monotonic; nothing is done before."""
    why: str = ""
    """What it waits for until it is due."""
    in_hand: bool = False
    begun: bool = False
    """Whether the record of uploads was looked into."""
    asked: bool = False
    """Whether VirusTotal was asked about it."""
    failures: int = 0
    pending_reports: int = 0
    submission: Submission | None = None
    descriptor: int | None = None
    """The file, opened to be uploaded."""
    upload_url: str | None = None
    landed: tuple[Permit, Descriptor | Failure] | None = None
    """How the upload ended, with the permit it was sent under."""
    verdict: Verdict | None = None
    keeps: bool = True
    """Whether the verdict holds for others too, who may be more patient."""
    attempts: int = 0
    """Uploads of it that failed and are no matter of the network as a whole."""
    looked_again: bool = False
    """Whether it is looked up anew since its upload was cut off."""
    owed: bool = False
    """Whether it is to be uploaded though nobody waits for that."""
    again: bool = False
    """Whether somebody asked once more after the verdict was there."""
    entry: int = field(default=-1)
    """Which of its places in the heaps counts."""

    @property
    def sha256(self) -> str:
        """The file it is about."""
        return self.question.sha256

    @property
    def name(self) -> str:
        """What the file is called on this machine, fit to be shown."""
        return show(self.question.held.rpartition(b"/")[2])

    @property
    def rank(self) -> Stage:
        """Its stage among stages; an upload takes its turn among the look-ups, by its score."""
        return Stage.LOOK_UP if self.stage is Stage.UPLOAD else self.stage

    @property
    def score(self) -> float:
        """Its place among its like; the smaller goes first."""
        later = PRIORITY[self.question.risk] + (self.stage is Stage.UPLOAD)
        return self.question.since + AGEING_SECONDS * later


class Queue:
    """All questions; those that are due wait by stage, the others by when they are due."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self._ready: dict[Stage, list[tuple[float, int, Case]]] = {stage: [] for stage in Stage}
        self._resting: list[tuple[float, int, Case]] = []
        self._entries = itertools.count()

    def add(self, question: Question) -> Case:
        """Take in a question, or join it to the one on the same file."""
        case = self.cases.get(question.sha256)
        if case is not None and case.stage is Stage.AGAIN:
            # Now somebody waits. A request that is on its way serves this question as well.
            if case.in_hand:
                case.question, case.held, case.stage = question, [], Stage.LOOK_UP
            else:
                self.remove(case)
                case = None
        if case is None:
            case = self.cases[question.sha256] = Case(question, [question.held])
            self.place(case)
        elif question.held not in case.held:
            case.held.append(question.held)
        return case

    def add_again(self, question: Question) -> None:
        """Take in a second look, unless the same file is asked about anyhow."""
        if question.sha256 not in self.cases:
            # No upload of an earlier run is awaited for it: the report says more.
            case = Case(question, [], Stage.AGAIN, wanted=False, begun=True)
            self.cases[question.sha256] = case
            self.place(case)

    def add_owed(self, question: Question) -> None:
        """Take in an upload that an earlier run owes; it is looked up first, as time has passed."""
        case = self.cases.get(question.sha256)
        if case is None:
            case = Case(question, [], wanted=False, begun=True)
            self.cases[question.sha256] = case
            self.place(case)
        case.owed = True

    def place(self, case: Case, stage: Stage | None = None, due: float = 0.0) -> None:
        """Let a question wait (anew) for its next step, which is not taken before it is due.

        One that was removed meanwhile stays removed.
        """
        case.stage = case.stage if stage is None else stage
        if self.cases.get(case.sha256) is not case:
            return
        case.due, case.in_hand, case.entry = due, False, next(self._entries)
        if due > 0.0:
            heapq.heappush(self._resting, (due, case.entry, case))
        else:
            heapq.heappush(self._ready[case.stage], (case.score, case.entry, case))

    def take(self, case: Case) -> None:
        """Take a question in hand; it is not found again until it is placed anew."""
        case.in_hand, case.entry = True, -1

    def remove(self, case: Case) -> None:
        """Be done with a question."""
        self.cases.pop(case.sha256, None)
        case.entry = -1

    def best(self, now: float, order: Collection[Stage] = tuple(Stage)) -> Case | None:
        """Find the question whose turn it is, of the stages in `order`, and leave it there."""
        while (case := self._first(self._resting)) and case.due <= now:
            heapq.heappop(self._resting)
            case.due = 0.0
            heapq.heappush(self._ready[case.stage], (case.score, case.entry, case))
        heads = [case for stage in order if (case := self._first(self._ready[stage]))]
        return min(heads, key=lambda case: (case.rank, case.score), default=None)

    def next_due(self) -> float | None:
        """When the next question that rests is due."""
        case = self._first(self._resting)
        return case.due if case else None

    def in_order(self) -> list[Case]:
        """All questions in the order in which they are likely to be answered."""
        return sorted(
            self.cases.values(),
            key=lambda case: (not case.in_hand, case.due, case.rank, case.score, case.entry),
        )

    @staticmethod
    def _first(heap: list[tuple[float, int, Case]]) -> Case | None:
        """Look at the first entry that counts; drop those before it that do not."""
        while heap and heap[0][2].entry != heap[0][1]:
            heapq.heappop(heap)
        return heap[0][2] if heap else None
