"""The service that starts the daemon at login, as far as there is one."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from checkfirst.policy.names import show
from checkfirst.service.at_login import systemctl
from checkfirst.service.at_login.place import WITHOUT_SYSTEMD, start_file
from checkfirst.service.command import own_command
from checkfirst.service.doctor.finding import Finding, note, ok, problem

_INSTALL = "checkfirst service install --force"
_BY_WHOM = "Whatever starts programs on this machine or in this container has to"
_LAST_WORDS = "Its last words: journalctl --user -u checkfirst"


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is; None: nobody here can tell."""

    path: Path
    installed: bool
    current: bool = True
    """Whether the file is what this checkfirst would write for these settings."""
    enabled: bool | None = None
    active: bool | None = None
    answers: bool | None = None
    """Whether there is a service manager that answers; None: none that could be asked."""
    running: bool = False
    """Whether any daemon runs on this state folder."""


def look_at_service_blocking(
    settings: Path | None, environ: Mapping[str, str], *, running: bool
) -> Facts:
    """Look at the file and ask the service manager, if there is one. Raises Problem."""
    file = start_file(own_command(str(settings) if settings else None, ["run"]), environ)
    asks = systemctl.is_there_blocking()
    answers = asks if sys.platform not in WITHOUT_SYSTEMD else None
    if file.written_blocking() is None:
        return Facts(file.path, installed=False, answers=answers, running=running)
    return Facts(
        file.path,
        installed=True,
        current=file.is_written_blocking(),
        enabled=systemctl.is_enabled_blocking() if asks else None,
        active=systemctl.is_active_blocking() if asks else None,
        answers=answers,
        running=running,
    )


def judge_service(facts: Facts) -> list[Finding]:
    """What the facts mean."""
    about = show(os.fsencode(facts.path))
    if not facts.installed and facts.answers is False:
        return [note("No service manager answers here, so nothing starts checkfirst", _BY_WHOM)]
    if not facts.installed:
        return [note("Nothing starts checkfirst at login", "checkfirst service install")]
    found = []
    if facts.enabled is False:
        found.append(problem("The service is not started at login", _INSTALL, about))
    if facts.active is False and not facts.running:
        found.append(problem("The service does not run", _LAST_WORDS, about))
    if not facts.current:
        title = "The service was written by another version, or for other settings than these"
        found.append(note(title, _INSTALL, about))
    if found:
        return found
    if facts.enabled is None:
        return [note("No service manager answers here; the service's file is there", "", about)]
    return [ok("The service starts checkfirst at login", about)]
