"""The person's own lists: what is always released, and what never.

Some stand in the settings, by hash or in files of hashes; the others were put into the database by
commands, by a restore from the quarantine or by a release on one's own responsibility. These last
two beat a block, as they speak of this very file; else block beats allow. How the database keeps
them is not known here, nor how files of hashes are read.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from checkfirst.model import Fingerprint, SourceHealth, Verdict, VerdictKind
from checkfirst.policy import hashes
from checkfirst.policy.hashes import Kind
from checkfirst.policy.names import escape
from checkfirst.sources.list_files import FromSettings
from checkfirst.store.listed import Listed, ListedBy, ListName

LookUp = Callable[[Sequence[str]], Awaitable[Mapping[str, Listed]]]
"""Gives what the database lists now, by hash."""

_MOST_SHOWN = 3
"""Broken lines that status names."""


class Lists:
    """A local source over both kinds of lists; its word comes before all others."""

    name = "lists"

    def __init__(self, settings: FromSettings, look_up: LookUp) -> None:
        """`look_up` finds what the database lists."""
        self._look_up = look_up
        self._weak: frozenset[str] = frozenset()
        self._asked = self._answered = 0
        self.reload(settings)

    def reload(self, settings: FromSettings) -> None:
        """Use these lists of the settings from now on."""
        self.from_settings = settings
        self._kinds = self._all_kinds()

    def reload_weak(self, found: frozenset[str]) -> bool:
        """Hear which SHA-1 and MD5 the database lists; whether one is new."""
        is_new = not found <= self._weak
        self._weak = found
        self._kinds = self._all_kinds()
        return is_new

    def kinds(self) -> frozenset[Kind]:
        """The hashes that a fingerprint needs besides its SHA-256; mostly none. For any thread."""
        return self._kinds

    async def answer(self, prints: Sequence[Fingerprint]) -> dict[str, Verdict]:
        """Give a verdict for each file that is on a list."""
        found = await self.said(prints)
        self._asked += len(prints)
        self._answered += len(found)
        return found

    async def said(self, prints: Sequence[Fingerprint]) -> dict[str, Verdict]:
        """The same where no new file asks: it does not count in `health`."""
        kept = await self._look_up([hash_ for one in prints for hash_ in one.hashes])
        found: dict[str, Verdict] = {}
        for one in prints:
            verdict = weigh(one.hashes, self.from_settings, kept)
            if verdict is not None:
                found[one.sha256] = verdict
        return found

    def health(self) -> SourceHealth:
        """It is not well while a list of the settings cannot be read in full."""
        problems = self.from_settings.problems
        return SourceHealth(
            self.name,
            self._asked,
            self._answered,
            healthy=not problems,
            problem=_in_short(problems),
        )

    def _all_kinds(self) -> frozenset[Kind]:
        kinds = {kind for each in self.from_settings.block for kind in each.packed}
        return frozenset(kinds.union(map(hashes.kind, self._weak)) - {Kind.SHA256})


def _in_short(problems: Sequence[str]) -> str | None:
    """The log and `checkfirst doctor` name them all."""
    more = len(problems) - _MOST_SHOWN
    told = [*problems[:_MOST_SHOWN], *([f"and {more} more, see the log"] if more > 0 else [])]
    return "; ".join(told) or None


def weigh(
    found: Sequence[str], settings: FromSettings, kept: Mapping[str, Listed]
) -> Verdict | None:
    """Say what the lists together say of a file: `found` is its SHA-256 and what it has besides."""
    own = kept.get(found[0])
    if own is not None and own.list is ListName.ALLOW and own.origin is not ListedBy.USER:
        return _verdict(VerdictKind.CLEAN, _deed(own))
    for each in found:
        entry = kept.get(each)
        if entry is not None and entry.list is ListName.BLOCK:
            return _verdict(VerdictKind.MALICIOUS, f"on your block list{_note(entry)}")
        for listed in settings.block:
            if each in listed:
                return _verdict(VerdictKind.MALICIOUS, f"on your block list ({listed.place})")
    if own is not None:
        return _verdict(VerdictKind.CLEAN, f"on your allow list{_note(own)}")
    for listed in settings.allow:
        if found[0] in listed:
            return _verdict(VerdictKind.CLEAN, f"on your allow list ({listed.place})")
    return None


def _verdict(kind: VerdictKind, reason: str) -> Verdict:
    return Verdict(kind, Lists.name, reason)


def _deed(kept: Listed) -> str:
    if kept.origin is ListedBy.RESTORE:
        return f"you restored it from the quarantine{_note(kept)}"
    return f"you released it on your own responsibility{_note(kept)}"


def _note(kept: Listed) -> str:
    return f" ({escape(kept.note)})" if kept.note else ""
