"""Hashes as people write them: which kind one is, and whether a list may hold it.

The length in hexadecimal digits tells the kind. Two different files can be made to have one SHA-1
or one MD5, so these can condemn a file and never clear it. Knows no files and no lists.
"""

import re
from enum import StrEnum
from typing import Final

_NAMES: Final = {
    32: "MD5",
    40: "SHA-1",
    56: "SHA-224",
    64: "SHA-256",
    96: "SHA-384",
    128: "SHA-512",
}
_HEX: Final = re.compile("[0-9a-fA-F]+")
_BESIDE_A_NAME: Final = re.compile(r"\\?([0-9a-fA-F]+) [ *].+")


class Kind(StrEnum):
    """The kinds that lists may hold; the names are those of hashlib."""

    SHA256 = "sha256"
    SHA1 = "sha1"
    MD5 = "md5"


_KINDS: Final = {64: Kind.SHA256, 40: Kind.SHA1, 32: Kind.MD5}


def kind(found: str) -> Kind:
    """Of a hash that `read` gave."""
    return _KINDS[len(found)]


def shown(found: str) -> str:
    """The kind as people write it."""
    return _NAMES[len(found)]


def read(text: str, *, may_be_weak: bool) -> str | None:
    """The hash in lower case, or None when the text looks like none.

    `may_be_weak`: SHA-1 and MD5 count too. ValueError, in words, for a hash that cannot be used.
    """
    if len(text) not in _NAMES or _HEX.fullmatch(text) is None:
        return None
    found, name = _KINDS.get(len(text)), _NAMES[len(text)]
    if found is Kind.SHA256 or (found is not None and may_be_weak):
        return text.lower()
    if found is not None:
        raise ValueError(
            f"this looks like {name}, and two files can be made to have the same; give the "
            "SHA-256, which has 64 hexadecimal digits"
        )
    others = ", SHA-1 or MD5" if may_be_weak else ""
    raise ValueError(
        f"this looks like {name}; give the SHA-256, which has 64 hexadecimal digits{others}"
    )


def in_line(text: str, *, may_be_weak: bool) -> str | None:
    """The hash in a line of a list, or None for a comment or nothing.

    Either a hash alone, with a comment after `#` if need be, or a line of `sha256sum` and its
    like. ValueError, in words, for anything else.
    """
    if (found := read(text, may_be_weak=may_be_weak)) is not None:
        return found  # as most lines are
    beside = _BESIDE_A_NAME.fullmatch(text)
    words = [beside[1]] if beside else text.partition("#")[0].split()
    if not words:
        return None
    found = read(words[0], may_be_weak=may_be_weak) if len(words) == 1 else None
    if found is None:
        raise ValueError("there is no hash in this line, or more than a hash")
    return found
