"""What a person means by what was typed: a row by its number, name, path, hash or pattern."""

import os
from pathlib import Path

from checkfirst.model import Arrival
from checkfirst.store.reading import Reading


def meant(reading: Reading, text: str) -> list[Arrival]:
    """The rows that may be meant, newest first.

    The journal has paths with all links on the way followed, and the file need not be there any
    more; so a path is looked for as it leads from here, and as its folder resolves.
    """
    if "/" in text:
        path = os.path.abspath(text)  # noqa: PTH100  (dots away, links kept)
        folder, name = os.path.split(path)
        for each in (path, str(Path(os.path.realpath(folder), name))):
            if found := reading.find(each):
                return found
    return reading.find(text)
