"""Libraries that are wanted by some and forced on nobody: whether they are there, how to get them.

The command is for this very installation, whether it came from a package index or a checkout.
"""

import importlib.util
import shlex
import sys
from typing import Final

_WANTED: Final = {"desktop_notifier": "desktop-notifier>=6,<7", "keyring": "keyring>=25,<26"}
"""What pyproject.toml says of the extras; a test compares them."""


def is_there_blocking(module: str) -> bool:
    """Whether it is installed; it is not imported."""
    return importlib.util.find_spec(module) is not None


def install_command_blocking(module: str) -> str:
    """What a person types to install it, with its own pip or, where it has none, another's."""
    pip = [sys.executable, "-m", "pip"]
    if not is_there_blocking("pip"):
        pip = ["python3", "-m", "pip", "--python", sys.executable]
    return shlex.join([*pip, "install", _WANTED[module]])
