"""Where a file says it came from: addresses in the marks that browsers leave, fit to be kept.

What stands behind `?`, `#` or `;` and before `@` is dropped: that is where tokens, sessions and
passwords are. An address that cannot be taken apart for certain becomes its scheme alone. All of it
is hostile text; whoever shows it escapes it. Knows no files.
"""

import re
from collections.abc import Iterable
from typing import Final

LONGEST: Final = 400
"""Characters of an address that are kept."""

BESIDE: Final = b":Zone.Identifier"
"""Ends the name of a file that tells where the file beside it is from (WSL)."""

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]{0,30}):(.*)", re.IGNORECASE | re.DOTALL)
_PLACE: Final = re.compile(r"(?:\[[0-9a-f:.]+\]|[^:@\[\]]+)(?::[0-9]{0,5})?", re.IGNORECASE)
_USER_WITHIN: Final = re.compile(r"//[^/]*@")
_NOWHERE: Final = "about"
"""Windows writes `about:internet` where it does not know."""


def told_of(name: bytes) -> bytes | None:
    """The file that a file of this name tells of, if it is such a one."""
    return name.removesuffix(BESIDE) if name.endswith(BESIDE) else None


def address(mark: bytes) -> str | None:
    """The address in a mark that holds nothing else, such as `user.xdg.origin.url`."""
    return _address(mark.decode("utf-8", "replace").strip(" \t\r\n\0"))


def zone_address(content: bytes) -> str | None:
    """The address in a Zone.Identifier: where it is from, or the page that led there."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    lines = content.decode(encoding, "replace").splitlines()
    return first(
        _address(line[len(key) :].strip(" \t\0"))
        for key in ("hosturl=", "referrerurl=")
        for line in lines
        if line.lower().startswith(key)
    )


def first(found: Iterable[str | None]) -> str | None:
    """The first that is there."""
    return next((each for each in found if each), None)


def _address(text: str) -> str | None:
    matched = _SCHEME.fullmatch(text)
    if matched is None:
        return None
    scheme, rest = matched[1].lower(), matched[2]
    if scheme == _NOWHERE:
        return None
    if scheme == "blob":  # a page made it; the address of the page follows
        return f"blob:{_address(rest) or ''}"
    shown = f"{scheme}:{_place_and_path(rest, may_be_here=scheme == 'file')}"
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def _place_and_path(rest: str, *, may_be_here: bool) -> str:
    """Host, port and path; nothing when it cannot be told where the one ends."""
    if not rest.startswith("//"):
        return ""
    place = re.split(r"[/\\?#;]", rest[2:], maxsplit=1)[0]
    path = re.split(r"[?#;]", rest[2 + len(place) :], maxsplit=1)[0]
    place = place.rpartition("@")[2]
    is_sound = _PLACE.fullmatch(place) if place else may_be_here
    return f"//{place}{_USER_WITHIN.sub('//', path)}" if is_sound else ""
