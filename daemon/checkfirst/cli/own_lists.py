"""Both of the person's lists as a command finds them: in the database, and in the settings."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from checkfirst.cli import output
from checkfirst.model import Arrival, State
from checkfirst.policy import hashes
from checkfirst.policy.hashes import Kind
from checkfirst.policy.names import show
from checkfirst.settings.glance import Glance
from checkfirst.sources.list_files import IN_SETTINGS, lines_blocking
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.reading import Reading

BY = {ListedBy.USER: "you", ListedBy.RESTORE: "a restore", ListedBy.RELEASE: "a release"}
"""What put an entry on a list."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A line of the settings' lists."""

    place: str
    """The file and the line, or `settings`."""
    hash: str | None
    problem: str = ""
    """Why there is no hash."""


class OwnLists:
    """What is on them now; expired entries are not."""

    def __init__(self, glance: Glance, reading: Reading, now: float) -> None:
        self._written = {ListName.ALLOW: glance.allow, ListName.BLOCK: glance.block}
        self._reading = reading
        self._now = now

    def kept(self, name: ListName) -> list[Listed]:
        """The entries of the database, oldest first."""
        return [each for each in self._reading.all_listed(name) if self._counts(each)]

    def entry(self, found: Sequence[str]) -> Listed | None:
        """The first entry of the database that holds one of the hashes."""
        entries = (self._reading.listed(each) for each in found)
        return next((each for each in entries if each and self._counts(each)), None)

    def placed_blocking(self, name: ListName) -> Iterator[Placed]:
        """What the settings list, what of it cannot be read included."""
        is_block = name is ListName.BLOCK
        for entry in self._written[name]:
            with suppress(ValueError):
                if (found := hashes.read(entry, may_be_weak=is_block)) is not None:
                    yield Placed(IN_SETTINGS, found)
                    continue
            yield from _lines_blocking(Path(entry), may_be_weak=is_block)

    def place_blocking(self, name: ListName, found: Sequence[str]) -> str | None:
        """Where the settings list one of these hashes."""
        wanted = set(found)
        return next((e.place for e in self.placed_blocking(name) if e.hash in wanted), None)

    def weak_kinds_blocking(self) -> set[Kind]:
        """The kinds of hashes besides SHA-256 that something is blocked by."""
        block = ListName.BLOCK
        found = {each.hash for each in self.kept(block)}
        found.update(each.hash for each in self.placed_blocking(block) if each.hash is not None)
        return {hashes.kind(each) for each in found} - {Kind.SHA256}

    def words_blocking(self, sha256: str) -> str | None:
        """What they say of a file by its SHA-256, if anything; its other hashes are not kept."""
        entry = self.entry([sha256])
        said = [_words(entry)] if entry else []
        said += [
            f"on the {name.value} list of your settings ({place})"
            for name in ListName
            if (place := self.place_blocking(name, [sha256]))
        ]
        return "; ".join(said) or None

    def known(self, word: str) -> list[Arrival]:
        """The files of the journal that a person may mean by it, newest first."""
        return self._reading.find(word)

    def files(self, found: str, states: Collection[State]) -> list[Arrival]:
        """The files with these bytes in these states, newest first."""
        return self._reading.with_hash(found, states)

    def _counts(self, entry: Listed) -> bool:
        return entry.expires_at is None or entry.expires_at > self._now


def _words(entry: Listed) -> str:
    since, until = output.local(entry.added_at), output.local(entry.expires_at)
    end = f", until {until}" if until else ""
    note = f": {entry.note}" if entry.note else ""
    return f"on your {entry.list.value} list by {BY[entry.origin]} since {since}{end}{note}"


def _lines_blocking(path: Path, *, may_be_weak: bool) -> Iterator[Placed]:
    place = show(bytes(path))
    try:
        for line in lines_blocking(path, may_be_weak=may_be_weak):
            yield Placed(f"{place}:{line.number}", line.found, line.problem)
    except OSError as error:
        yield Placed(place, None, f"the list cannot be read: {error.strerror}")
