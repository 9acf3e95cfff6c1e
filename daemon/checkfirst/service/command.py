"""How this very installation is called from outside: by systemd, by a file manager."""

import os
import shlex
import shutil
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


def typed_command_blocking(interpreter: str = sys.executable) -> str:
    """What a person types from the current folder, as short as it can be.

    After `make init` the command lies in .venv/bin, which nobody has in PATH.
    """
    if shutil.which("checkfirst"):
        return "checkfirst"
    script = os.path.join(os.path.dirname(interpreter), "checkfirst")
    if not os.access(script, os.X_OK):
        return shlex.join([interpreter, "-m", "checkfirst"])
    near = os.path.relpath(script)
    return shlex.quote(script if near.startswith("..") else near)
