"""The person's own lists: what is always released, and what never.

Some stand in the settings, by hash or in files of hashes; the others were put into the database by
commands, by a restore from the quarantine or by a release on one's own responsibility. These last
two beat a block, as they speak of this very file; else block beats allow. How the database keeps
them is not known here.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from checkfirst.model import Fingerprint, SourceHealth, Verdict, VerdictKind
from checkfirst.policy.names import escape, show
from checkfirst.store.listed import Listed, ListedBy, ListName

LookUp = Callable[[Sequence[str]], Awaitable[Mapping[str, Listed]]]
"""Gives what the database lists now."""

_HEX = frozenset("0123456789abcdef")
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Hashes:
    """Hashes that came from one place."""

    place: str
    """Where they stand, fit to be shown."""
    digests: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class FromSettings:
    """The lists of the settings, as they were when they were last read."""

    allow: tuple[Hashes, ...] = ()
    block: tuple[Hashes, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be read, each with its file and line."""


def load_blocking(allow: Iterable[str | Path], block: Iterable[str | Path]) -> FromSettings:
    """Read the lists of the settings: SHA-256 in hex, or files that hold one on each line.

    In files, `#` begins a comment. What cannot be read becomes a problem and the rest is used.
    """
    problems: list[str] = []
    return FromSettings(
        _load_blocking(allow, problems), _load_blocking(block, problems), tuple(problems)
    )


class Lists:
    """A local source over both kinds of lists; its word comes before all others."""

    name = "lists"

    def __init__(self, settings: FromSettings, look_up: LookUp) -> None:
        """`look_up` finds what the database lists."""
        self._settings = settings
        self._look_up = look_up
        self._asked = self._answered = 0

    def reload(self, settings: FromSettings) -> None:
        """Use these lists of the settings from now on."""
        self._settings = settings

    async def answer(self, prints: Sequence[Fingerprint]) -> dict[str, Verdict]:
        """Give a verdict for each hash that is on a list."""
        kept = await self._look_up([one.sha256 for one in prints])
        found: dict[str, Verdict] = {}
        for one in prints:
            verdict = weigh(one.sha256, self._settings, kept.get(one.sha256))
            if verdict is not None:
                found[one.sha256] = verdict
        self._asked += len(prints)
        self._answered += len(found)
        return found

    def health(self) -> SourceHealth:
        """It is not well while a list of the settings cannot be read in full."""
        problems = self._settings.problems
        return SourceHealth(
            self.name,
            self._asked,
            self._answered,
            healthy=not problems,
            problem="; ".join(problems) or None,
        )


def weigh(sha256: str, settings: FromSettings, kept: Listed | None) -> Verdict | None:
    """Say what the lists together say of a hash."""
    if kept is not None and kept.list is ListName.ALLOW and kept.origin is not ListedBy.USER:
        return _verdict(VerdictKind.CLEAN, _deed(kept))
    digest = bytes.fromhex(sha256)
    if kept is not None and kept.list is ListName.BLOCK:
        return _verdict(VerdictKind.MALICIOUS, f"on your block list{_note(kept)}")
    for hashes in settings.block:
        if digest in hashes.digests:
            return _verdict(VerdictKind.MALICIOUS, f"on your block list ({hashes.place})")
    if kept is not None:
        return _verdict(VerdictKind.CLEAN, f"on your allow list{_note(kept)}")
    for hashes in settings.allow:
        if digest in hashes.digests:
            return _verdict(VerdictKind.CLEAN, f"on your allow list ({hashes.place})")
    return None


def _verdict(kind: VerdictKind, reason: str) -> Verdict:
    return Verdict(kind, Lists.name, reason)


def _deed(kept: Listed) -> str:
    if kept.origin is ListedBy.RESTORE:
        return f"you restored it from the quarantine{_note(kept)}"
    return f"you released it on your own responsibility{_note(kept)}"


def _note(kept: Listed) -> str:
    return f" ({escape(kept.note)})" if kept.note else ""


def _load_blocking(entries: Iterable[str | Path], problems: list[str]) -> tuple[Hashes, ...]:
    inline: set[bytes] = set()
    places: list[Hashes] = []
    for entry in entries:
        digest = _digest(entry) if isinstance(entry, str) else None
        if digest is not None:
            inline.add(digest)
        else:
            places.append(_file_blocking(Path(entry), problems))
    return (Hashes("settings", frozenset(inline)), *places)


def _file_blocking(path: Path, problems: list[str]) -> Hashes:
    place = show(bytes(path))
    digests: set[bytes] = set()
    broken: list[int] = []
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                text = line.partition("#")[0].strip()
                digest = _digest(text)
                if digest is not None:
                    digests.add(digest)
                elif text:
                    broken.append(number)
    except OSError as error:
        problems.append(f"{place}: the list cannot be read: {error.strerror}")
    problems.extend(
        f"{place}:{number}: no SHA-256 in this line" for number in broken[:_MOST_PROBLEMS]
    )
    if len(broken) > _MOST_PROBLEMS:
        more = len(broken) - _MOST_PROBLEMS
        problems.append(f"{place}: no SHA-256 in {more} more lines")
    return Hashes(place, frozenset(digests))


def _digest(text: str) -> bytes | None:
    lower = text.lower()
    return bytes.fromhex(lower) if len(lower) == 64 and _HEX.issuperset(lower) else None  # noqa: PLR2004
