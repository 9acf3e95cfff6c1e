"""What happens, in a person's words: the lines of the log that somebody tails.

Everything that is told of a file is worded here. A burst is told in one line for its beginning;
how each file ended is always told, except that many releases at once are counted.
"""

import logging
import os
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import assert_never

from checkfirst.logs import say
from checkfirst.model import Action, Arrival, State, VerdictKind
from checkfirst.policy.names import show
from checkfirst.policy.quota import Limits
from checkfirst.policy.sizes import readable
from checkfirst.service.deed_log import SUBMITTED
from checkfirst.service.listener import Listener
from checkfirst.service.work import ASTRAY, Again, Done, End, InHand, Missed, Turn, Undone
from checkfirst.sources.virustotal import events
from checkfirst.watch.telling import Trouble, WatchEvent

_log = logging.getLogger(__name__)

BURST = 25
"""From so many files in one batch on, their arrival is told in one line."""

_MOST_NAMES = 4096
_UNPROVEN = "without a lease, so it was quiet for longer and goes on as a copy"


class Teller(Listener):
    """Says what happened; keeps only the names of what was asked about."""

    def __init__(self, local: Callable[[float], datetime]) -> None:
        """`local` gives the local time of a moment."""
        self._local = local
        self._names: dict[str, str] = {}

    def names(self, sha256: str, name: bytes) -> None:
        """This hash is that file, for lines that only know the hash."""
        if len(self._names) >= _MOST_NAMES:
            self._names.pop(next(iter(self._names)))
        self._names.setdefault(sha256, show(name))

    def arrived(self, arrivals: Sequence[Arrival]) -> None:
        """Files have settled and are about to be held."""
        if len(arrivals) >= BURST:
            for root, count in Counter(each.root for each in arrivals).items():
                files = f"{count} file{'' if count == 1 else 's'}"
                say(_log, logging.INFO, "arrived", "%s at once in %s", files, show(root))
            return
        for each in arrivals:
            size = readable(each.size or 0)
            facts = {"id": str(each.id), "file": each.name, "size": each.size}
            text = "%s (%s) in %s"
            folder = show(each.origin.rpartition(b"/")[0])
            say(_log, logging.INFO, "arrived", text, show(each.name), size, folder, **facts)

    def held(self, hands: Sequence[InHand]) -> None:
        """Files are out of reach and fingerprinted."""
        if len(hands) >= BURST:
            bare = sum(hand.grip.lease is None for hand in hands)
            more = f", {bare} of them {_UNPROVEN}" if bare else ""
            say(_log, logging.INFO, "held", "%d files%s", len(hands), more)
            return
        for hand in hands:
            found, arrival = hand.fingerprint, hand.work.arrival
            what = (show(arrival.name), found.risk, found.content_type, found.sha256[:12])
            facts = {"id": str(arrival.id), "file": arrival.name, "sha256": found.sha256}
            more = f", {_UNPROVEN}" if hand.grip.lease is None else ""
            say(_log, logging.INFO, "held", "%s: %s, %s, sha256 %s%s", *what, more, **facts)

    def ended(self, done: Sequence[Done]) -> None:
        """Files were released or quarantined."""
        unremarkable: list[Done] = []
        remarkable: list[Done] = []
        for each in done:
            is_release = each.order.decision.action is Action.RELEASE
            (unremarkable if is_release and not each.other_names else remarkable).append(each)
        if len(unremarkable) >= BURST:
            _released(unremarkable)
            done = remarkable
        for each in done:
            _ended(each.end)
            if each.other_names:
                text = "%s can still be opened under %d other name%s (hard link%s), which may lie "
                text += "anywhere on its disk; those in a watched folder are judged as well"
                several = "" if each.other_names == 1 else "s"
                words = (show(each.end.name), each.other_names, several, several)
                say(_log, logging.WARNING, "problem", text, *words)

    def found(self, rows: Sequence[Arrival]) -> None:
        """Say late what had happened."""
        for row in rows:
            if row.state is State.GONE:
                text = "%s is no longer in the held folder, and nobody knows who took it: %s"
                words = (show(row.name), row.reason or "it was not there")
                say(_log, logging.WARNING, "gone", text, *words, id=str(row.id), file=row.name)
            else:
                _ended(End.of(row))

    def looked_again(self, again: Again) -> None:
        """A second look says something else than the first."""
        file, verdict = again.file, again.verdict
        facts = {
            "id": str(file.id),
            "file": file.name,
            "sha256": file.sha256,
            "destination": again.place or file.destination,
            "turn": again.turn.value,
            "verdict": verdict.kind.value,
            "source": verdict.source,
            "report_url": verdict.report_url,
        }
        level = logging.INFO if again.turn is Turn.NOTHING else logging.WARNING
        level = logging.ERROR if again.turn in ASTRAY else level
        say(_log, level, "again", "%s", in_words(again), **facts)

    def undone(self, undone: Undone, *, is_first: bool) -> None:
        """A decision could not be carried out; the file is still held."""
        level = logging.ERROR if is_first and not undone.quiet else logging.DEBUG
        say(
            _log,
            level,
            "problem",
            "%s The file is still held and tried again.",
            _sentence(undone.reason),
        )

    def left(self, missed: Missed, *, is_first: bool) -> None:
        """A file could not be taken."""
        level = logging.WARNING if is_first and not missed.quiet else logging.DEBUG
        text = "%s The file is left where it is and tried again."
        say(_log, level, "problem", text, _sentence(missed.reason))

    def not_judged(self, missed: Missed, *, is_first: bool) -> None:
        """A held file could not be read to its end."""
        level = logging.WARNING if is_first and not missed.quiet else logging.DEBUG
        say(
            _log, level, "problem", "%s The file is held and tried again.", _sentence(missed.reason)
        )

    def source(self, event: events.Event) -> None:
        """Say what VirusTotal does."""
        match event:
            case events.Asked(sha256):
                name = self._names.get(sha256, "a file")
                text = "VirusTotal about %s (sha256 %s)"
                say(_log, logging.INFO, "asked", text, name, sha256[:12], sha256=sha256)
            case events.AskedAgain(sha256):
                name = self._names.get(sha256, "a file")
                text = "VirusTotal once more about %s (sha256 %s)"
                say(_log, logging.INFO, "asked", text, name, sha256[:12], sha256=sha256)
            case events.Submitted(sha256, size, _, _):
                name = self._names.get(sha256, "a file")
                what = (name, readable(size), sha256[:12])
                say(_log, logging.WARNING, "submitted", SUBMITTED, *what, sha256=sha256)
            case events.TakenUp() | events.Waived():
                self._owed(event)
            case events.Waiting(reason, until, at):
                when = moment(self._local(until), self._local(at), "%H:%M:%S")
                say(_log, logging.INFO, "waiting", "until %s: %s", when, reason)
            case events.Learned(limits):
                text = "VirusTotal allows this account %s"
                say(_log, logging.INFO, "account", text, _allowed(limits))
            case events.Problem(text):
                say(_log, logging.ERROR, "problem", "%s", text)
            case events.Sending():
                pass
            case events.Recovered():
                say(_log, logging.INFO, "recovered", "VirusTotal answers again")

    def watch(self, event: WatchEvent) -> None:
        """Say what happened to a watched folder."""
        bad = event.trouble in {Trouble.LIMITED, Trouble.LOST, Trouble.OVERFLOW}
        level, word = (logging.WARNING, "problem") if bad else (logging.INFO, "watching")
        if event.trouble is Trouble.LEFT_OUT:  # `watching` says that all is ready
            word = "not watched"
        say(_log, level, word, "%s", event.text)

    def failure(self, role: str, reason: str) -> None:
        """A part of the daemon failed and is started again."""
        say(_log, logging.ERROR, "problem", "the part `%s` failed: %s", role, reason)

    def _owed(self, event: events.TakenUp | events.Waived) -> None:
        sha256 = event.sha256
        if isinstance(event, events.TakenUp):
            self.names(sha256, event.name)
            text = "%s is still to be submitted to VirusTotal (sha256 %s)"
            say(_log, logging.INFO, "goes on", text, show(event.name), sha256[:12], sha256=sha256)
        else:
            what = (event.name, event.reason, sha256[:12])
            text = "%s to VirusTotal after all: %s (sha256 %s)"
            say(_log, logging.INFO, "not sent", text, *what, sha256=sha256)


def moment(at: datetime, now: datetime, clock: str) -> str:
    """The time of day as `clock` has it, with the day where that is another than now."""
    return at.strftime(clock if at.date() == now.date() else f"%Y-%m-%d {clock}")


def _released(done: Sequence[Done]) -> None:
    """Say of many at once where they are, and how many of them nobody knows."""
    folder = os.path.commonpath({os.path.dirname(each.destination) for each in done})
    unknown = sum(each.order.verdict.kind is VerdictKind.UNKNOWN for each in done)
    more = f", {unknown} of them unknown" if unknown else ""
    level = logging.WARNING if unknown else logging.INFO
    say(_log, level, "released", "%d files -> %s%s", len(done), show(folder), more)


def _ended(end: End) -> None:
    is_release = end.state is State.RELEASED
    is_unknown = end.verdict is VerdictKind.UNKNOWN and is_release
    facts = {
        "id": str(end.id),
        "file": end.name,
        "sha256": end.sha256,
        "destination": end.destination,
        "verdict": end.verdict and end.verdict.value,
        "source": end.source,
        "report_url": end.report_url,
    }
    words = [show(end.name), show(end.destination or b""), end.reason]
    text = "%s -> %s: %s (sha256 %s)"
    level = logging.INFO if is_release and not is_unknown else logging.WARNING
    say(_log, level, end.state.value, text, *words, (end.sha256 or "")[:12], **facts)


def _allowed(limits: Limits) -> str:
    spans = (
        (limits.per_minute, "minute"),
        (limits.per_day, "day"),
        (limits.per_month, "month"),
    )
    told = [f"{limit} a {span}" for limit, span in spans if limit]
    return ", ".join(told) if told else "whatever the settings allow"


def in_words(again: Again) -> str:
    """Say what a second look has brought, in one line."""
    file, place = again.file, show(again.file.destination or b"")
    at_large = "Look for it, and do not open it."
    match again.turn:
        case Turn.TAKEN_BACK:
            then = f"It was let go before that was known, and is taken back from {place}"
        case Turn.UNCLEAR:
            then = f"It was let go before that was known; {place} cannot be read now, tried again"
        case Turn.CHANGED:
            then = f"It was let go to {place} before that was known, and changed since. {at_large}"
        case Turn.MISSING:
            then = f"It was let go to {place} before that was known, and has left. {at_large}"
        case Turn.CLEARED:
            then = f"It was stopped for being unknown; `checkfirst quarantine restore {file.id}`"
            then += " gives it back"
        case Turn.RESTORED:
            then = f"It was stopped for being unknown, and is now in {show(again.place or b'')}"
        case Turn.CONFIRMED:
            then = f"It was stopped for being unknown, and stays in {place}"
        case Turn.NOTHING:
            then = f"It stays in {place}"
        case _:  # pragma: no cover
            assert_never(again.turn)
    return _sentence(f"{show(file.name)}: {again.verdict.reason}. {then}")


def _sentence(words: str) -> str:
    """Advice ends with a full stop, a mere title does not."""
    return words if words.endswith((".", "?")) else f"{words}."
