"""How this very installation is called from outside: by systemd, by a file manager."""

import sys
from collections.abc import Sequence


def own_command(
    settings: str | None, words: Sequence[str], interpreter: str = sys.executable
) -> list[str]:
    """This interpreter with this package and these settings, whatever the working folder holds.

    Without -P the interpreter would import a `checkfirst.py` that lies in the working folder.
    """
    named = ["--settings", settings] if settings is not None else []
    return [interpreter, "-P", "-m", "checkfirst", *named, *words]
