"""Which kinds of published software are no recommendation, whoever published them.

A collection of known files is no collection of good ones: NIST's holds hacking tools, keyloggers
and programs to hide data in pictures, each with its kind in plain words. Words are matched within
the description, as one product may have several kinds; `Anti-virus` is no virus.
"""

import re

_UNWANTED = (
    "attack",
    "backdoor",
    "crack",
    "exploit",
    "hack",
    "key gen",
    "key log",
    "keyboard log",
    "keygen",
    "keylog",
    "keystroke",
    "malicious",
    "malware",
    "penetration",
    "phishing",
    "rootkit",
    "sniffer",
    "spoof",
    "spy",
    "stegan",
    "trojan",
    "virus",
    "warez",
    "worm",
)
_FOUND = re.compile(
    rf"(?<!anti)(?<!anti[ -])(?:{'|'.join(_UNWANTED).replace(' ', '[ -]?')})", re.IGNORECASE
)


def is_no_recommendation(kind: str) -> bool:
    """Whether to be known as software of this kind speaks against a file rather than for it."""
    return _FOUND.search(kind) is not None
