"""What a command did, in the daemon's log: whoever tails it sees what a person did beside it.

A daemon may be writing the same file. So each line is appended whole, and nothing is rotated here.
"""

import logging
from typing import TYPE_CHECKING

from checkfirst import logs
from checkfirst.model import Arrival, State
from checkfirst.policy.names import show
from checkfirst.policy.sizes import readable

if TYPE_CHECKING:
    from checkfirst.settings.schema import Settings
    from checkfirst.sources.virustotal.events import Submitted

SUBMITTED = "%s (%s) to VirusTotal, as it has never seen it (sha256 %s)"

_TEXTS = {
    State.RELEASED: "%s -> %s: released by hand, on your own responsibility (sha256 %s)",
    State.RESTORED: "%s -> %s: given back by hand, its content is allowed from now on (sha256 %s)",
    State.DELETED: "%s, by hand; it was in %s (sha256 %s)",
}


def ended_blocking(settings: "Settings", row: Arrival, state: State, place: bytes | None) -> None:
    """A person brought a file to this end, there; `row` is as it was before."""
    facts = {"id": str(row.id), "file": row.name, "sha256": row.sha256, "destination": place}
    words = (show(row.name), show(place or b""), (row.sha256 or "not known")[:12])
    _append_blocking(settings, state.value, _TEXTS[state], *words, **facts)


def submitted_blocking(settings: "Settings", name: bytes, event: "Submitted") -> None:
    """A command uploaded a file of that name."""
    words = (show(name), readable(event.size), event.sha256[:12])
    _append_blocking(settings, "submitted", SUBMITTED, *words, sha256=event.sha256)


def _append_blocking(
    settings: "Settings", event: str, text: str, *words: str, **facts: object
) -> None:
    path = settings.log.file or settings.state / "checkfirst.log"
    logs.append_blocking(settings.log, path, logging.WARNING, event, text, *words, **facts)
