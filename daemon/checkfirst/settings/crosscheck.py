"""What no single setting can tell: folders that get in each other's way, waits upside down.

Folders are compared as they are written and, where they exist, as what they resolve to, so that
a symbolic link does not hide that two of them are one.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from checkfirst.settings.places import DATABASE
from checkfirst.settings.sources import REMOTE
from checkfirst.settings.tree import KeyPath

if TYPE_CHECKING:
    from checkfirst.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class Clash:
    """Settings that cannot go together; it is told at the first of the keys."""

    keys: tuple[KeyPath, ...]
    text: str
    """A format in which `{1}` is the second of the keys as it is written."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder as it is written and as what it resolves to."""

    written: Path
    resolved: Path

    def equals(self, other: "_Place") -> bool:
        return self.written == other.written or self.resolved == other.resolved

    def is_inside(self, other: "_Place") -> bool:
        return not self.equals(other) and (
            self.written.is_relative_to(other.written)
            or self.resolved.is_relative_to(other.resolved)
        )


def clashes_blocking(settings: "Settings") -> Iterator[Clash]:
    """Everything that does not go together. Looks at the file system for links and list files."""
    yield from _watched(settings)
    yield from _destinations(settings)
    yield from _sources(settings)
    yield from _waits(settings)
    yield from _files(settings)
    yield from _log(settings)


def _place(path: Path) -> _Place:
    # Path.resolve raises where a link leads to itself; realpath goes as far as it can.
    return _Place(path, Path(os.path.realpath(path)))


def _watched(settings: "Settings") -> Iterator[Clash]:
    recursive = settings.intake.recursive
    watched = [(("watch", n), _place(path)) for n, path in enumerate(settings.watch)]
    for (key_1, one), (key_2, two) in combinations(watched, 2):
        if one.equals(two):
            yield Clash((key_2, key_1), "is the same folder as {1}")
        elif recursive and (one.is_inside(two) or two.is_inside(one)):
            text = (
                "lies in one tree with {1}, which is looked into with all its "
                "sub-folders (intake.recursive); name the outer one alone"
            )
            yield Clash((key_2, key_1, ("intake", "recursive")), text)
    state, quarantine = _place(settings.state), _place(settings.quarantine)
    released, held = _place(settings.released), _place(settings.state / "held")
    for key, root in watched:
        for name, place in (("released", released), ("quarantine", quarantine), ("state", state)):
            if place.equals(root):
                text = "is a watched folder ({1}); choose a folder of its own"
                yield Clash(((name,), key), text)
        if recursive and state.is_inside(root):
            text = (
                "lies inside a watched folder ({1}) that is looked into with all its "
                "sub-folders (intake.recursive); choose a folder outside"
            )
            yield Clash((("state",), key, ("intake", "recursive")), text)
        if root.is_inside(quarantine):
            text = "lies inside the quarantine folder, which nobody can put files into"
            yield Clash((key, ("quarantine",)), text)
        if root.equals(held) or root.is_inside(held):
            yield Clash((key, ("state",)), "lies among the held files in the state folder")


def _destinations(settings: "Settings") -> Iterator[Clash]:
    released, quarantine = _place(settings.released), _place(settings.quarantine)
    state, held = _place(settings.state), _place(settings.state / "held")
    if quarantine.equals(released):
        text = "is the released folder; what may not be opened needs a folder of its own"
        yield Clash((("quarantine",), ("released",)), text)
    if released.is_inside(quarantine):
        text = "lies inside the quarantine folder, which is locked; choose a folder outside"
        yield Clash((("released",), ("quarantine",)), text)
    if settings.intake.recursive and quarantine.is_inside(released):
        text = (
            "lies inside the released folder, where sub-folders of downloads go as well "
            "(intake.recursive); choose a folder outside"
        )
        yield Clash((("quarantine",), ("released",), ("intake", "recursive")), text)
    for name, place in (("released", released), ("quarantine", quarantine)):
        if state.equals(place):
            yield Clash((("state",), (name,)), f"is the {name} folder; choose a folder of its own")
        elif state.is_inside(place):
            text = f"lies inside the {name} folder; choose a folder outside"
            yield Clash((("state",), (name,)), text)
        elif place.equals(held) or place.is_inside(held):
            text = "lies among the held files in the state folder; choose a folder outside"
            yield Clash(((name,), ("state",)), text)


def _sources(settings: "Settings") -> Iterator[Clash]:
    names = settings.sources
    if names[:1] != ("lists",):
        text = (
            "must begin with lists; without them, or after others, your own lists and what you "
            "restored or released by hand would not count"
        )
        yield Clash((("sources",),), text)
    for n, name in enumerate(names):
        if name in names[:n]:
            yield Clash((("sources", n),), "is in the list already; name it once")
        elif name not in REMOTE and (earlier := REMOTE.intersection(names[:n])):
            text = f"answers from this machine, so it stands before {', '.join(sorted(earlier))}"
            yield Clash((("sources", n),), text)
    if settings.unknowns.submit and "virustotal" not in names:
        text = "uploads to virustotal, which is not among the sources; turn it off, or add it"
        yield Clash((("unknowns", "submit"), ("sources",)), text)


def _waits(settings: "Settings") -> Iterator[Clash]:
    pairs = (
        (("virustotal", "retry"), settings.virustotal.retry),
        (("virustotal", "pause"), settings.virustotal.pause),
        (("poll",), settings.poll),
    )
    for key, wait in pairs:
        if wait.first > wait.at_most:
            first, at_most = (*key, "first"), (*key, "at_most")
            yield Clash((first, at_most), "is longer than at_most beside it; make it shorter")
    if timedelta(0) < settings.recheck.for_ < settings.recheck.every:
        text = "is longer than recheck.for, so no second look would ever come; make it shorter"
        yield Clash((("recheck", "every"), ("recheck", "for")), text)


def _files(settings: "Settings") -> Iterator[Clash]:
    for name, entries in (("allow", settings.lists.allow), ("block", settings.lists.block)):
        for n, entry in enumerate(entries):
            if isinstance(entry, str):
                continue
            if not os.path.isfile(entry):  # noqa: PTH113  (bad paths are False)
                text = "is neither a SHA-256 (64 hexadecimal digits) nor a file that is there"
                yield Clash((("lists", name, n),), text)
            elif not os.access(entry, os.R_OK):
                yield Clash((("lists", name, n),), "is a file that cannot be read; see to its mode")
    both = {e for e in settings.lists.allow if isinstance(e, str)}.intersection(
        settings.lists.block
    )
    for n, entry in enumerate(settings.lists.block):
        if entry in both:
            text = "is in lists.allow as well; keep it in one of them"
            yield Clash((("lists", "block", n), ("lists", "allow")), text)


def _log(settings: "Settings") -> Iterator[Clash]:
    if settings.log.file is None:
        return
    if os.path.isdir(settings.log.file):  # noqa: PTH112  (bad paths are False)
        yield Clash((("log", "file"),), "is a folder; give the path of a file")
    file, folder = _place(settings.log.file), _place(settings.log.file.parent)
    database = _place(settings.state / DATABASE)
    if file.equals(database):
        yield Clash((("log", "file"), ("state",)), "is the database; choose another name")
    spared = [_place(each) for each in (settings.released, settings.quarantine, settings.state)]
    is_spared = any(folder.equals(each) or folder.is_inside(each) for each in spared)
    is_deep = settings.intake.recursive and not is_spared
    for n, root in enumerate(map(_place, settings.watch)):
        if folder.equals(root) or (is_deep and folder.is_inside(root)):
            text = (
                f"lies in a watched folder (watch.{n}), where it would be taken like a download; "
                "choose another folder"
            )
            yield Clash((("log", "file"), ("watch", n)), text)
