"""The person's own service manager, asked by way of systemctl, with a time limit on everything."""

import shutil
import subprocess
from dataclasses import dataclass

from checkfirst.policy.names import escape
from checkfirst.service.at_login.unit import NAME

_LIMIT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What systemctl said."""

    is_well: bool
    text: str
    """Its words, on one line and printable."""
    is_late: bool = False
    """It had not ended in time; what it was asked for goes on."""


def is_there_blocking() -> bool:
    """Whether there is a service manager of this person's that answers."""
    return shutil.which("systemctl") is not None and ask_blocking("show-environment").is_well


def ask_blocking(*words: str) -> Answer:
    """Run `systemctl --user` with these words; never raises."""
    try:
        done = subprocess.run(  # noqa: S603  (words of our own)
            ["systemctl", "--user", "--no-ask-password", *words],  # noqa: S607  (as a person would)
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(is_well=False, text="", is_late=True)
    except OSError as error:
        return Answer(is_well=False, text=str(error.strerror))
    text = done.stdout.decode(errors="replace").strip()
    return Answer(is_well=not done.returncode, text=escape(text.replace("\n", " ")))


def is_active_blocking() -> bool:
    """Whether the service runs now."""
    return ask_blocking("is-active", NAME).is_well


def is_enabled_blocking() -> bool:
    """Whether it starts at login."""
    return ask_blocking("is-enabled", NAME).is_well
