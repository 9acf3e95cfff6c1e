"""Whether the database that is open is still the one that lies in the state folder.

A file that is removed while it is open goes on working for us and for nobody else: what is written
there is gone with the process, and until then no command sees it.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from checkfirst.policy.names import show


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """The file as it was opened."""

    path: Path
    dev: int
    ino: int

    @classmethod
    def of_blocking(cls, path: Path) -> Self:
        """The file that lies there now; raises OSError."""
        seen = path.stat()
        return cls(path, seen.st_dev, seen.st_ino)

    def trouble_blocking(self) -> str:
        """What a person must be told, or nothing."""
        try:
            seen = self.path.stat()
        except FileNotFoundError:
            what = "removed"
        except OSError:  # cannot be told now
            return ""
        else:
            if (seen.st_dev, seen.st_ino) == (self.dev, self.ino):
                return ""
            what = "replaced"
        return (
            f"The database was {what} while checkfirst runs: {show(os.fsencode(self.path))}. Files "
            "are judged as ever, but history will not know of them. Restart checkfirst; it takes "
            "up again what it holds."
        )
