"""What a bug report needs, in one text: no key, no names of files, no hashes.

Names and hashes say what a person downloads. `--with-names` leaves them in, for whoever reports
trouble with one certain file; the key, the home folder's place and the user's name never are.
"""

import os
import platform
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import checkfirst
from checkfirst.cli import output
from checkfirst.clock import SystemClock, iso
from checkfirst.errors import CheckfirstError, Problem
from checkfirst.log_tail import read_last_blocking
from checkfirst.patience import within_blocking
from checkfirst.policy.names import escape, show
from checkfirst.service.doctor import redact
from checkfirst.settings.places import DATABASE, home
from checkfirst.settings.show import as_yaml
from checkfirst.store.reading import Reading

if TYPE_CHECKING:
    from checkfirst.service.doctor.finding import Finding
    from checkfirst.settings.load import Loaded

_LINES = 200
_SECONDS = 5.0
_MOST_NAMES = 5000
_SHORTEST_NAME = 3
"""Shorter ones would tear holes into everything; they are dealt with as words."""

_NAMELESS = frozenset(
    [
        "settings",
        "machine",
        "folders",
        "watching",
        "clock",
        "log",
        "service",
        "notify",
        "virustotal",
    ]
)
"""Checks that never tell the name of a file."""

_HEAD = """\
A report of `checkfirst doctor`, written {at}.
It holds no API key. {names}
Read it before you send it.
"""
_WITHOUT = "Names of files and hashes are left out, and words of the log that could be names."
_WITH = "Names of files and hashes are in it, as you asked for."


def write_blocking(
    path: Path,
    found: "Sequence[tuple[str, Finding]]",
    loaded: "Loaded | None",
    *,
    with_names: bool,
) -> None:
    """Write it, mode 0600, or print it for `-`; raises Problem, also when the file exists."""
    text = _text(found, loaded, with_names=with_names)
    if str(path) == "-":
        output.script(text)
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123  (0600 from the first moment on)
            file.write(text)
    except OSError as error:
        raise Problem(
            f"The report cannot be written: {error.strerror}",
            "Name a new file in a folder of your own.",
            about=show(os.fsencode(path)),
        ) from error
    output.note(f"The report is in {show(os.fsencode(path))}; read it before you send it.")


def _text(
    found: "Sequence[tuple[str, Finding]]", loaded: "Loaded | None", *, with_names: bool
) -> str:
    words = frozenset[str]() if with_names else redact.own_words_blocking()
    names = _names(loaded) if loaded is not None and not with_names else []
    account = loaded.settings.virustotal.account if loaded is not None else None
    person = redact.of_the_person(os.environ, home(os.environ), socket.gethostname(), account)

    def nameless(text: str) -> str:
        text = escape(text)
        if not with_names:
            text = redact.without_names(text, words, names)
        return redact.without_person(text, person)

    def personless(text: str) -> str:
        text = redact.without_person(escape(text), person)
        return text if with_names else redact.without_hashes(text)

    parts = {
        "Versions": _versions(),
        "Findings": [
            (personless if name in _NAMELESS else nameless)(line)
            for name, finding in found
            for line in _lines(name, finding)
        ],
    }
    if loaded is not None:
        settings = as_yaml(loaded.settings, _unusual(loaded)).splitlines()
        parts["Settings"] = [personless(line) for line in settings]
        parts["Files by state"] = _counts(loaded)
        parts["Log"] = [nameless(line) for line in _log(loaded)]
    at = iso(SystemClock().now()) or ""
    lines = [_HEAD.format(at=at, names=_WITH if with_names else _WITHOUT)]
    for title, body in parts.items():
        lines += [f"== {title} ==", *body, ""]
    return "\n".join(lines)


def _unusual(loaded: "Loaded") -> dict[str, str]:
    return {key: origin for key, origin in loaded.origins.items() if origin != "file"}


def _names(loaded: "Loaded") -> list[str]:
    """Names and paths of files that the journal tells of, longest first."""

    def read_blocking() -> list[str]:
        with Reading(loaded.settings.state / DATABASE) as reading:
            rows = reading.history(_MOST_NAMES)
        paths = {each for row in rows for each in (row.origin, row.held, row.destination) if each}
        names = {path.rpartition(b"/")[2] for path in paths}
        told = sorted(paths | names, key=len, reverse=True)
        return [show(each) for each in told if len(each) >= _SHORTEST_NAME]

    try:
        return within_blocking(_SECONDS, read_blocking, "names")
    except (CheckfirstError, OSError):
        return []


def _versions() -> list[str]:
    return [
        f"checkfirst {checkfirst.__version__}",
        f"Python {platform.python_version()} ({sys.implementation.name})",
        f"{platform.system()} {platform.release()} {platform.machine()}",
        f"C library {' '.join(platform.libc_ver()) or 'unknown'}",
        f"file names in {sys.getfilesystemencoding()}, output in {sys.stdout.encoding}",
    ]


def _lines(name: str, finding: "Finding") -> list[str]:
    first = f"{finding.level.value} {name}: {finding.title}"
    return [first, *(f"    {text}" for text in (finding.about, finding.to_do) if text)]


def _counts(loaded: "Loaded") -> list[str]:
    def read_blocking() -> list[str]:
        with Reading(loaded.settings.state / DATABASE) as reading:
            return [f"{state.value}: {number}" for state, number in reading.counts().items()]

    return _within(read_blocking)


def _log(loaded: "Loaded") -> list[str]:
    path = loaded.settings.log.file or loaded.settings.state / "checkfirst.log"
    return _within(lambda: read_last_blocking(path, _LINES))


def _within(read_blocking: Callable[[], list[str]]) -> list[str]:
    try:
        return within_blocking(_SECONDS, read_blocking, "report")
    except CheckfirstError as error:
        return [f"({error.title})"]
    except OSError as error:  # a TimeoutError is one
        return [f"(cannot be read: {error.strerror or error})"]
