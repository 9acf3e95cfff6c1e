"""What a file could do when it is opened, from its first bytes and its name.

Both are asked and the more dangerous reading wins: a program stays one under the name of a
document, and text becomes a script under the name of one.
"""

from collections.abc import Mapping
from types import MappingProxyType

from checkfirst.model import Risk
from checkfirst.policy.content import recognised
from checkfirst.policy.suffixes import OLE, OOXML, TEXT, XML, ZIP, Reading, claimed

HEAD = 4096
"""How many first bytes are looked at."""

DANGER: tuple[Risk, ...] = (
    Risk.PROGRAM,
    Risk.INSTALLER,
    Risk.SCRIPT,
    Risk.ARCHIVE,
    Risk.DOCUMENT,
    Risk.OTHER,
    Risk.MEDIA,
    Risk.IMAGE,
)
"""From the most dangerous to the least."""

PRIORITY: Mapping[Risk, int] = MappingProxyType(
    {
        Risk.PROGRAM: 0,
        Risk.SCRIPT: 0,
        Risk.INSTALLER: 0,
        Risk.ARCHIVE: 1,
        Risk.DOCUMENT: 1,
        Risk.OTHER: 2,
        Risk.MEDIA: 2,
        Risk.IMAGE: 2,
    }
)
"""Which class of files is asked about first when there is a queue; 0 is first."""

_SAYS_LITTLE = frozenset({ZIP, OLE, OOXML, TEXT, XML})
"""Contents that a suffix of the same risk describes better."""

_ZIPPED = ("application/vnd.", "application/epub", "application/oxps")
"""How the types of documents begin that are ZIP containers inside."""


def identify(head: bytes, name: bytes) -> Reading:
    """Give content type and risk from the first HEAD bytes and the name. Never raises.

    A ZIP named as an Office document or e-book is taken for one even where its members do not show
    it yet: documents are private, and must not pass for archives, which may be uploaded.
    """
    content = recognised(head[:HEAD])
    claim = claimed(name)
    if content is None:
        nothing = "application/octet-stream" if head else "inode/x-empty"
        return claim or (nothing, Risk.OTHER)
    if claim is None:
        return content
    if content[0] == ZIP and claim[1] is Risk.DOCUMENT and claim[0].startswith(_ZIPPED):
        return claim
    return min(content, claim, key=_danger)


def _danger(reading: Reading) -> tuple[int, bool]:
    content_type, risk = reading
    return DANGER.index(risk), content_type in _SAYS_LITTLE
