"""How this very installation is called from outside: by systemd, by a file manager."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from checkfirst.service.own_file import OwnFile
from checkfirst.settings.places import home


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


def program(settings: str | None, environ: Mapping[str, str]) -> OwnFile:
    """What makes `checkfirst`, as all texts call it, this installation with these settings."""
    command = shlex.join(own_command(settings, []))
    content = f'#!/bin/sh\n# {_MARK}\nexec {command} "$@"\n'
    path = Path(home(environ), ".local", "bin", "checkfirst")
    return OwnFile(path, content, _MARK, is_program=True)


def can_be_found_blocking(file: OwnFile, environ: Mapping[str, str]) -> bool:
    """Whether a program there would be found by its name, and takes no other's place."""
    folders = environ.get("PATH", "").split(os.pathsep)
    return str(file.path.parent) in folders and not os.path.lexists(file.path)


_MARK = "Written by `checkfirst init`, so that the command is found everywhere."
