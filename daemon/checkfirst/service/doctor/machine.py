"""The machine: Python, SQLite, the kernel, and the extras that are installed."""

import platform
import sqlite3
import sys
from dataclasses import dataclass

import checkfirst
from checkfirst import extras
from checkfirst.service.doctor.finding import Finding, note, ok, problem

_PYTHON = (3, 11)
_SQLITE = (3, 37, 0)
"""STRICT tables; sqlite.org/stricttables.html."""

EXTRAS = {"keyring": ("keyring", "the API key can be kept in the system keyring")}
"""Name of the extra: its package, and what it is for. The desktop has a check of its own."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts."""

    checkfirst: str
    python: tuple[int, ...]
    sqlite: tuple[int, ...]
    system: str
    """`Linux`, `Darwin`, …"""
    kernel: str
    extras: frozenset[str]
    """Those that are installed."""


def look_at_machine_blocking() -> Machine:
    """Ask Python; nothing is imported."""
    return Machine(
        checkfirst=checkfirst.__version__,
        python=tuple(sys.version_info[:3]),
        sqlite=sqlite3.sqlite_version_info,
        system=platform.system(),
        kernel=platform.release(),
        extras=frozenset(
            name for name, (package, _) in EXTRAS.items() if extras.is_there_blocking(package)
        ),
    )


def judge_machine(machine: Machine) -> list[Finding]:
    """What the facts mean."""
    python, sqlite = ".".join(map(str, machine.python)), ".".join(map(str, machine.sqlite))
    found = []
    if machine.python < _PYTHON:
        found.append(problem(f"Python {python} is too old", "Install Python 3.11 or later."))
    if machine.sqlite < _SQLITE:
        found.append(
            problem(
                f"SQLite {sqlite} is too old",
                "Use a Python that comes with SQLite 3.37 or later.",
            )
        )
    if machine.system != "Linux":
        found.append(problem(f"{machine.system} is not supported", "Run checkfirst on Linux."))
    found.append(
        ok(
            f"checkfirst {machine.checkfirst}, Python {python}, SQLite {sqlite}, "
            f"{machine.system} {machine.kernel}"
        )
    )
    for name, (package, what) in EXTRAS.items():
        if name not in machine.extras:
            to_do = f"If you want it: {extras.install_command_blocking(package)}"
            found.append(note(f"The extra {name} is not installed ({what})", to_do))
    return found
