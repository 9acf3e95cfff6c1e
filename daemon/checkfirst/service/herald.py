"""Makes news for the desktop of what happens: which facts count, in which words.

Hears what the log hears. Whether, when and how it is shown is not known here.
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from checkfirst.model import Action, Arrival, Outlook, State, VerdictKind
from checkfirst.notify.news import Kind, News
from checkfirst.policy.names import escape, show
from checkfirst.service.listener import Listener
from checkfirst.service.tell import in_words, moment
from checkfirst.service.work import ASTRAY, Again, Done, End, Missed, Turn, Undone
from checkfirst.sources.virustotal import events
from checkfirst.watch.telling import Trouble, WatchEvent

LONG_SECONDS = 120.0
"""A file that is held for longer than this is told of."""

_LONGEST_NAME = 60
_UNTOLD = frozenset({Turn.TAKEN_BACK, Turn.UNCLEAR, Turn.NOTHING})


class Herald(Listener):
    """Puts news together."""

    def __init__(
        self,
        put: Callable[[News], None],
        unasked: Callable[[str], None],
        local: Callable[[float], datetime],
        kinds: Collection[Kind],
    ) -> None:
        """`put` takes news, `unasked` the page about each malicious file that was stopped.

        `local` gives the local time of a moment. `kinds` is what anybody wants to hear of.
        """
        self._put = put
        self._unasked = unasked
        self._local = local
        self._kinds = kinds
        self._told: frozenset[int] = frozenset()
        """Ids of the files that are held for long, as far as they have been told."""

    def ended(self, done: Sequence[Done]) -> None:
        """Tell of every file; a burst is gathered elsewhere."""
        if Kind.RELEASED not in self._kinds:  # of tens of thousands no word need be found
            done = [each for each in done if each.order.decision.action is not Action.RELEASE]
        self._ended([each.end for each in done])

    def found(self, rows: Sequence[Arrival]) -> None:
        """Tell the same when it comes late; a file that has gone is told as a problem."""
        self._ended([End.of(row) for row in rows])

    def _ended(self, ends: Sequence[End]) -> None:
        for end in ends:
            page = end.report_url if end.verdict is VerdictKind.MALICIOUS else None
            text = _about(end, end.reason)
            place = end.destination or b""
            match end.state:
                case State.RELEASED:
                    self._put(News(Kind.RELEASED, text, folder=os.path.dirname(place)))
                case State.QUARANTINED:
                    news = News(Kind.QUARANTINED, text, page or place, os.path.dirname(place))
                    self._put(news)
                    if page:
                        self._unasked(page)
                case State.RESTORED | State.DELETED:
                    pass  # whoever wanted it knows, and the log tells that it came to that
                case _:
                    self._put(News(Kind.PROBLEM, text))

    def looked_again(self, again: Again) -> None:
        """Tell what a person can act on; a file that is taken back is told of when it ends."""
        if again.turn in _UNTOLD:
            return
        text = _about(again.file, in_words(again).partition(": ")[2])
        page = again.verdict.report_url
        folder = os.path.dirname(again.place or again.file.destination or b"") or None
        kind = Kind.PROBLEM if again.turn in ASTRAY else Kind.CHANGED
        self._put(News(kind, text, page, folder))

    def still_held(
        self, rows: Sequence[Arrival], outlook: Mapping[str, Outlook], now: float
    ) -> None:
        """Tell of each file once that has waited for long; `rows` are all that wait."""
        long = [row for row in rows if now - (row.held_at or now) > LONG_SECONDS]
        for row in long:
            if row.id not in self._told:
                known = outlook.get(row.sha256 or "")
                reason = (known.reason if known else row.reason) or "it is being looked at"
                until = known.until if known else row.until
                text = _about(row, reason)
                if until:
                    text += f", until about {moment(self._local(until), self._local(now), '%H:%M')}"
                self._put(News(Kind.HELD, text))
        self._told = frozenset(row.id for row in long)

    def undone(self, undone: Undone, *, is_first: bool) -> None:
        """Tell what will not pass by itself."""
        if is_first and not undone.quiet:
            self._problem(undone.reason)

    def left(self, missed: Missed, *, is_first: bool) -> None:
        """Tell what will not pass by itself."""
        if is_first and not missed.quiet:
            self._problem(missed.reason)

    def not_judged(self, missed: Missed, *, is_first: bool) -> None:
        """Tell what will not pass by itself."""
        if is_first and not missed.quiet:
            self._problem(missed.reason)

    def source(self, event: events.Event) -> None:
        """Tell its problems; waits are told with the files that wait."""
        if isinstance(event, events.Problem):
            self._problem(event.text)

    def watch(self, event: WatchEvent) -> None:
        """Tell that nobody stands guard; events that were dropped are made up for by a sweep."""
        if event.trouble is Trouble.LOST:
            self._problem(event.text)

    def failure(self, role: str, reason: str) -> None:
        """Tell that a part does not run."""
        self._problem(f"The part `{role}` failed: {reason}")

    def _problem(self, text: str) -> None:
        self._put(News(Kind.PROBLEM, escape(text)))


def _about(arrival: Arrival | End, reason: str) -> str:
    return f"{show(arrival.name, _LONGEST_NAME)}: {escape(reason)}"
