"""Which slot of a held folder each file of a batch goes into.

One slot serves a whole batch, as a folder for each file makes a burst ten times slower; a name
that comes again in the batch goes into a second one.
"""

import os
from collections.abc import Callable, Mapping, Sequence

from checkfirst.intake.look import Settled


def slotted(
    batch: Sequence[Settled], folders: Mapping[bytes, bytes], token: Callable[[], str]
) -> list[tuple[Settled, bytes]]:
    """Each with the path it is to be held at; `folders` gives the held folder of each root."""
    slots: dict[tuple[bytes, int], bytes] = {}
    turns: dict[tuple[bytes, bytes], int] = {}
    placed = []
    for one in batch:
        folder = folders[one.sighting.root]
        name = one.sighting.path.rpartition(b"/")[2]
        turn = turns[folder, name] = turns.get((folder, name), -1) + 1
        slot = slots.get((folder, turn))
        if slot is None:
            slot = slots[folder, turn] = os.path.join(folder, token().encode())
        placed.append((one, b"%s/%s" % (slot, name)))
    return placed
