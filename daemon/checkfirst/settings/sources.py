"""Who may stand in the setting `sources`. Nothing heavy: commands that only read come by here."""

from typing import Literal

SourceName = Literal[
    "lists",
    "remembered",
    "known-good",
    "virustotal",
]

DEFAULT: tuple[SourceName, ...] = ("lists", "remembered", "known-good", "virustotal")
"""In the order in which they are asked."""

REMOTE: frozenset[SourceName] = frozenset({
    "virustotal",
})  # fmt: skip
"""Those that are asked over a network, or take their time for other reasons."""
