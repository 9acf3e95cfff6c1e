"""Names that say "not finished yet", and names the user wants left alone.

A temporary name only postpones: it never exempts, or `evil.part` would be a way past. How long it
postpones is `policy.settle`'s affair. Matching is on the last path component, whatever its case.
"""

import re
from collections.abc import Sequence
from enum import Enum
from fnmatch import fnmatchcase


class Temporary(Enum):
    """What a name says about being finished."""

    NO = "no"
    INERT = "inert"
    """Unfinished, and of a suffix that nothing opens: it may stay so for days."""
    OTHER = "other"
    """Looks unfinished, but could be opened as it is."""


# Seen in runs of Chromium, Firefox, aria2 and yt-dlp, or in the source of qBittorrent; the others
# are from the documentation of FileZilla, WinSCP, Transmission, uTorrent, BitTorrent, BitComet,
# BitSpirit, Opera, Free Download Manager, old Edge, DC++, Safari and WebKitGTK.
_INERT = re.compile(
    rb"""\.(?: part | part-frag\d+(?:\.part)? | crdownload | partial | filepart | download
             | opdownload | fdmdownload | wkdownload | aria2 | aria2__temp | ytdl | dctmp
             | !qb | !ut | !bt | bc! | bt! )\Z""",
    re.IGNORECASE | re.VERBOSE,
)

_OTHER = re.compile(
    rb"""\.org\.chromium\.chromium\..*     # before Chromium knows the final name
       | \.syncthing\..* | ~syncthing~.*   # Syncthing, tempname.go
       | \.goutputstream-.*                # GIO, while it replaces a file
       | \.~.* | ~\$.* | ~.*\.tmp          # lock and owner files of office suites
       | .*\.~.*                           # the exclude list of Nextcloud's client
       | \..+\.[a-z0-9]{6}                 # rsync: .name.XXXXXX
       | .+\.temp\.[a-z0-9]+               # yt-dlp while ffmpeg works
       | .+\.f\d[\w-]*\.(?:mp4|m4a|webm|mkv|mp3|opus|ogg|flv|3gp)  # yt-dlp, not joined yet
       | .+\.td                            # Thunder""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def temporary(name: bytes) -> Temporary:
    """Tell whether the name is one that downloads have while they are not finished."""
    if _INERT.search(name):
        return Temporary.INERT
    if _OTHER.fullmatch(name):
        return Temporary.OTHER
    return Temporary.NO


def ignored(name: bytes, globs: Sequence[str]) -> str | None:
    """Give the user's glob that the name matches, if there is one."""
    if not globs:
        return None
    text = name.decode("utf-8", "surrogateescape").lower()
    return next((glob for glob in globs if fnmatchcase(text, glob.lower())), None)


_CONTROL = b".aria2"


def partner(name: bytes) -> bytes:
    """Name the control file that aria2 keeps beside a file until it is complete."""
    return name + _CONTROL


def is_partner(name: bytes) -> bool:
    """Tell whether a file of this name would be the control file of another."""
    return name.endswith(_CONTROL)
