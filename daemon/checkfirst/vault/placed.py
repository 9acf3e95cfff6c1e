"""What release, quarantine and restore hand back."""

from typing import NamedTuple


class Placed(NamedTuple):
    """Where a file went, and how."""

    path: bytes
    """The file's path; for a quarantined file, the folder made for it."""
    fresh: bool
    """It was copied into a fresh inode."""
    other_names: int = 0
    """Other hard links of the old inode: names elsewhere that still give its content."""
    linked_back: bool = False
    """A symbolic link to it was left where it came from."""
