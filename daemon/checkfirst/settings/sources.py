"""Who may stand in the setting `sources`. Nothing heavy: commands that only read come by here."""

from typing import Literal, get_args

SourceName = Literal["lists", "remembered", "known-good", "virustotal"]
"""All of them, in the order in which they are asked by default."""

DEFAULT: tuple[SourceName, ...] = get_args(SourceName)

REMOTE: frozenset[SourceName] = frozenset({"virustotal"})
"""Those that are asked over a network, or take their time for other reasons."""
