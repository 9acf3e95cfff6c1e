"""What the line and its neighbours tell: one method for each kind of fact, whoever listens."""

import logging
from collections.abc import Callable, Sequence

from checkfirst.model import Arrival
from checkfirst.service.work import Again, Done, InHand, Missed, Undone
from checkfirst.sources.virustotal import events
from checkfirst.watch.telling import WatchEvent

_log = logging.getLogger(__name__)


class Listener:
    """Hears everything and minds nothing; who minds something overrides a method.

    Every method is called on the loop and comes back at once.
    """

    def names(self, sha256: str, name: bytes) -> None:
        """This hash is that file, for facts that only know the hash."""

    def arrived(self, arrivals: Sequence[Arrival]) -> None:
        """Files have settled and are about to be held."""

    def held(self, hands: Sequence[InHand]) -> None:
        """Files are out of reach and fingerprinted."""

    def ended(self, done: Sequence[Done]) -> None:
        """Files were released or quarantined."""

    def found(self, rows: Sequence[Arrival]) -> None:
        """What has become of files that nobody could be told of when it happened.

        After a crash, or when the journal could not be written. They are `released`, `quarantined`,
        `restored`, `deleted` or `gone`.
        """

    def looked_again(self, again: Again) -> None:
        """A second look at a file says something else than the first."""

    def undone(self, undone: Undone, *, is_first: bool) -> None:
        """A decision could not be carried out; the file is still held."""

    def left(self, missed: Missed, *, is_first: bool) -> None:
        """A file could not be taken."""

    def not_judged(self, missed: Missed, *, is_first: bool) -> None:
        """A held file could not be read to its end."""

    def source(self, event: events.Event) -> None:
        """VirusTotal does something, or does not."""

    def watch(self, event: WatchEvent) -> None:
        """Something happened to a watched folder."""

    def failure(self, role: str, reason: str) -> None:
        """A part of the daemon failed and is started again."""


class Listeners(Listener):
    """Passes everything on to several, in their order.

    What is told has happened already, so nothing that goes wrong with the telling comes back.
    """

    def __init__(self, *listeners: Listener) -> None:
        """Who listens."""
        self._listeners = listeners

    def names(self, sha256: str, name: bytes) -> None:
        """Pass it on, as all below."""
        self._pass_on(lambda each: each.names(sha256, name))

    def arrived(self, arrivals: Sequence[Arrival]) -> None:
        """Pass it on."""
        self._pass_on(lambda each: each.arrived(arrivals))

    def held(self, hands: Sequence[InHand]) -> None:
        """Pass it on."""
        self._pass_on(lambda each: each.held(hands))

    def ended(self, done: Sequence[Done]) -> None:
        """Pass it on."""
        self._pass_on(lambda each: each.ended(done))

    def found(self, rows: Sequence[Arrival]) -> None:
        """Pass it on."""
        self._pass_on(lambda each: each.found(rows))

    def looked_again(self, again: Again) -> None:
        """Pass it on."""
        self._pass_on(lambda each: each.looked_again(again))

    def undone(self, undone: Undone, *, is_first: bool) -> None:
        """Pass it on."""
        self._pass_on(lambda each: each.undone(undone, is_first=is_first))

    def left(self, missed: Missed, *, is_first: bool) -> None:
        """Pass it on."""
        self._pass_on(lambda each: each.left(missed, is_first=is_first))

    def not_judged(self, missed: Missed, *, is_first: bool) -> None:
        """Pass it on."""
        self._pass_on(lambda each: each.not_judged(missed, is_first=is_first))

    def source(self, event: events.Event) -> None:
        """Pass it on."""
        self._pass_on(lambda each: each.source(event))

    def watch(self, event: WatchEvent) -> None:
        """Pass it on."""
        self._pass_on(lambda each: each.watch(event))

    def failure(self, role: str, reason: str) -> None:
        """Pass it on."""
        self._pass_on(lambda each: each.failure(role, reason))

    def _pass_on(self, tell: Callable[[Listener], None]) -> None:
        for each in self._listeners:
            try:
                tell(each)
            except Exception:  # noqa: BLE001  (a listener's mistake must not touch a file)
                _log.exception("%s could not tell something", type(each).__name__)
