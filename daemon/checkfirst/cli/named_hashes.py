"""What a person means by the words after `allow add` and its like: hashes and files.

A file is one that lies there, which is hashed, or one that history knows.
A word that looks like a hash is one, whatever files there are; `./WORD` is the file of that name.
What lies there comes before what history has under that name.
"""

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from checkfirst.cli.progress import progress
from checkfirst.errors import FileProblem, Problem
from checkfirst.model import Arrival
from checkfirst.policy import hashes
from checkfirst.policy.names import escape, show
from checkfirst.vault.digest import digests_and_head_blocking
from checkfirst.vault.grip import grasp_blocking

_HEX = frozenset("0123456789abcdefABCDEF")
_PATTERN = frozenset("*?[")
_NEARLY = 24
"""So many hexadecimal digits that are no hash were meant to be one."""
_MOST_IDS = 10

Find = Callable[[str], Sequence[Arrival]]
"""The files of the journal that a word means, by number, name, path, digits or pattern."""


@dataclass(frozen=True, slots=True)
class Named:
    """What one word means."""

    hashes: tuple[str, ...]
    """The hash; of a file, its SHA-256 and what was wanted besides."""
    name: str = ""
    """The file's, fit to be shown; nothing where a hash was given."""

    @property
    def hash(self) -> str:
        """The one that goes on a list."""
        return self.hashes[0]

    @property
    def shown(self) -> str:
        """The file with the beginning of its hash, or the hash."""
        return f"{self.name} (sha256 {self.hash[:12]})" if self.name else self.hash


def named_blocking(
    word: str, kinds: Collection[str], find: Find, *, may_be_weak: bool
) -> list[Named]:
    """Read the word, and the file it names; raises Problem. `kinds` as for a fingerprint.

    Only a pattern means several.
    """
    try:
        found = hashes.read(word, may_be_weak=may_be_weak)
    except ValueError as error:
        reason = str(error)
        advice = f"{reason[:1].upper()}{reason[1:]}. A file of that name is ./{word}."
        raise Problem("This hash cannot be used here", advice, about=word) from error
    if found is not None:
        return [Named((found,))]
    try:
        os.lstat(word)
    except (OSError, ValueError):
        if known := _known(word, find):
            return known
    else:
        if word.isdigit() and (known := _known(word, find)):
            raise Problem(
                "This is the name of a file that lies here, and the number of another",
                f"Give ./{word} for the one that lies here, {known[0].hash} for the other.",
                about=word,
            )
    return [_file_blocking(word, kinds)]


def _known(word: str, find: Find) -> list[Named]:
    """What history has under this word, each content once."""
    rows: dict[str | None, Arrival] = {}
    for row in find(word):
        rows.setdefault(row.sha256, row)
    unread = rows.pop(None, None)
    if unread is not None and not rows:
        raise Problem("This file has not been read yet", "Try again later.", about=escape(word))
    if len(rows) > 1 and not _PATTERN & set(word):
        ids = ", ".join(str(row.id) for row in list(rows.values())[:_MOST_IDS])
        title = f"{len(rows)} files with different contents are meant by that"
        raise Problem(title, f"Name one by its id: {ids}.", about=escape(word))
    return [Named((sha256,), show(row.name)) for sha256, row in rows.items() if sha256]


def _file_blocking(word: str, kinds: Collection[str]) -> Named:
    path, about = os.fsencode(word), escape(word)
    try:
        # The file that is meant is read, though a link may lead to it.
        with (
            grasp_blocking(os.path.realpath(path), lease=False) as grip,
            progress(f"Reading {about}", grip.stamp.size) as bar,
        ):
            digests, _ = digests_and_head_blocking(grip, kinds, bar.is_stopped)
    except FileNotFoundError as error:
        title, advice = (
            "There is no such file",
            "Give a file, an id or a name that `checkfirst history` shows, or a SHA-256.",
        )
        if len(word) >= _NEARLY and _HEX.issuperset(word):
            title = "This is neither a file nor a hash"
            advice = f"It has {len(word)} hexadecimal digits; a SHA-256 has 64."
        raise Problem(title, advice, about=about) from error
    except FileProblem as error:
        advice = "Name regular files that nobody writes to."
        raise Problem(error.title, advice, about=about) from error
    except OSError as error:
        advice = "See to its mode and owner."
        raise Problem(f"The file cannot be read: {error.strerror}", advice, about=about) from error
    except ValueError as error:
        raise Problem("This is no path", f"The system says: {error}.", about=about) from error
    return Named(digests, show(path.rpartition(b"/")[2]))
