"""The database and the log beside it."""

import os
from dataclasses import dataclass
from pathlib import Path

from checkfirst.policy.names import show
from checkfirst.policy.sizes import readable
from checkfirst.service.doctor.finding import Finding, note, ok, problem
from checkfirst.store.checkup import Checkup

_BIG_LOG_BYTES = 256 * 1000 * 1000
"""SQLite writes it back at some 4 MB; one this big means that somebody keeps it from that."""

_REBUILT = (
    "Restart checkfirst: the file is set aside and made anew from what lies in the held and "
    "quarantine folders."
)


@dataclass(frozen=True, slots=True)
class LogFacts:
    """The log's file."""

    path: Path
    exists: bool
    size: int = 0
    writable: bool = True
    trouble: str = ""


def judge_database(checkup: Checkup, path: Path) -> list[Finding]:
    """What the checkup means."""
    about = show(os.fsencode(path))
    found = [
        note("A damaged database of earlier days lies beside the present one", "", name)
        for name in checkup.set_aside
    ]
    if not checkup.exists:
        return [*found, ok("There is no database yet; it is made when checkfirst first runs")]
    if checkup.whole is False or checkup.suspect:
        return [*found, problem("The database is damaged", _REBUILT, about)]
    if checkup.error is not None:
        return [*found, problem(checkup.error.title, checkup.error.to_do, about)]
    if checkup.version > checkup.known:
        title = f"A newer checkfirst wrote the database (schema {checkup.version})"
        return [*found, problem(title, "Use the newer checkfirst.", about)]
    if checkup.log_size > _BIG_LOG_BYTES:
        title = f"The write-ahead log has grown to {readable(checkup.log_size)}"
        to_do = "Some program keeps the database open for long; end it, or restart checkfirst."
        found.append(note(title, to_do, about))
    looked = "sound" if checkup.whole else "too large to be looked through now"
    version = f"schema {checkup.version}"
    if checkup.version < checkup.known:
        version += f", brought up to {checkup.known} at the next start"
    return [*found, ok(f"The database is {looked} ({readable(checkup.size)}, {version})")]


def look_at_log_blocking(path: Path) -> LogFacts:
    """Look at the file without opening it."""
    try:
        seen = path.stat()
    except FileNotFoundError:
        above = path.parent
        return LogFacts(path, False, writable=not above.exists() or os.access(above, os.W_OK))
    except OSError as error:
        return LogFacts(path, True, trouble=error.strerror or str(error))
    return LogFacts(path, True, seen.st_size, os.access(path, os.W_OK))


def judge_log(facts: LogFacts) -> list[Finding]:
    """What the facts mean."""
    about = show(os.fsencode(facts.path))
    to_do = "See that the file and its folder belong to you, or change `log.file`."
    if facts.trouble:
        return [problem(f"The log cannot be seen ({facts.trouble})", to_do, about)]
    if not facts.writable:
        return [problem("The log cannot be written", to_do, about)]
    if not facts.exists:
        return [ok("There is no log yet", about)]
    return [ok(f"The log can be written ({readable(facts.size)})", about)]
