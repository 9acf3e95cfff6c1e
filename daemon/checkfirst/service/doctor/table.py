"""The table of checks: what is looked at on this machine, with these settings."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checkfirst.clock import Clock
from checkfirst.errors import CheckfirstError, StoreError
from checkfirst.notify.desktop import Desktop
from checkfirst.policy.names import escape, show
from checkfirst.policy.quota import Limits, narrower
from checkfirst.service.doctor import (
    account,
    at_login,
    database,
    folders,
    known_good,
    leftovers,
    lists,
    machine,
    moving,
)
from checkfirst.service.doctor.desktop import judge_desktop
from checkfirst.service.doctor.finding import Finding, note, ok, problem
from checkfirst.service.doctor.process import judge_daemon
from checkfirst.service.doctor.rounds import Check
from checkfirst.service.doctor.times import judge_clock
from checkfirst.service.doctor.watching import judge_watching, look_at_watching_blocking
from checkfirst.service.lock import running_pid
from checkfirst.service.status import read_blocking
from checkfirst.settings.key import search_key
from checkfirst.settings.load import Loaded
from checkfirst.settings.places import DATABASE, KNOWN_GOOD
from checkfirst.sources.alone import meaning
from checkfirst.store.checkup import checkup_blocking
from checkfirst.store.listed import ListName
from checkfirst.store.reading import Reading
from checkfirst.vault.held import INSIDE

if TYPE_CHECKING:
    from pydantic import SecretStr

    from checkfirst.sources.virustotal.probe import Probed

SECONDS_FOR_DATABASE = 10.0
SECONDS_FOR_LISTS = 30.0
"""A file of hashes may have millions of lines."""
SECONDS_FOR_ACCOUNT = 45.0
"""The keyring and the answer have limits of their own, which are shorter together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What is looked at, and with what."""

    loaded: Loaded
    environ: Mapping[str, str]
    clock: Clock
    token: Callable[[], str]
    """Gives names that nobody else has."""
    probe: "Callable[[SecretStr], Probed] | None"
    """Asks VirusTotal once, through the ledger; None: nobody is to be asked."""

    @property
    def database(self) -> Path:
        """Where it is."""
        return self.loaded.settings.state / DATABASE

    @property
    def log(self) -> Path:
        """Where it is."""
        return self.loaded.settings.log.file or self.loaded.settings.state / "checkfirst.log"

    @property
    def watched(self) -> tuple[bytes, ...]:
        """As configured."""
        return tuple(map(os.fsencode, self.loaded.settings.watch))


def settings_findings(loaded: Loaded | None, error: CheckfirstError | None) -> list[Finding]:
    """What loading the settings has shown."""
    if error is not None:
        problems = getattr(error, "problems", [error.title])
        to_do = error.to_do or "Mend this; until then only the machine is looked at."
        *most, last = map(escape, problems)
        return [*map(problem, most), problem(last, to_do)]
    if loaded is None:
        return []
    where = show(os.fsencode(loaded.path)) if loaded.path else ""
    right = ok("The settings are right", where) if where else _defaults()
    return [right, *(problem(escape(warning)) for warning in loaded.warnings)]


def machine_check() -> Check:
    """The one that needs no settings."""
    return Check("machine", lambda: machine.judge_machine(machine.look_at_machine_blocking()))


def checks(it: Installation) -> list[Check]:
    """Everything that hangs on the settings."""
    settings = it.loaded.settings
    state, quarantine = os.fsencode(settings.state), os.fsencode(settings.quarantine)
    places = [
        *((folders.Role.WATCHED, root) for root in it.watched),
        (folders.Role.RELEASED, os.fsencode(settings.released)),
        (folders.Role.QUARANTINE, quarantine),
        (folders.Role.STATE, state),
        (folders.Role.HELD, os.path.join(state, b"held")),
    ]
    return [
        *(_folder(role, path) for role, path in places),
        *(_moving(it, root, state) for root in it.watched),
        Check("watching", lambda: _watching_blocking(it)),
        Check("database", lambda: _database_blocking(it), seconds=SECONDS_FOR_DATABASE),
        Check("clock", lambda: _clock_blocking(it)),
        Check("log", lambda: database.judge_log(database.look_at_log_blocking(it.log))),
        Check(
            "daemon",
            lambda: judge_daemon(running_pid(settings.state), read_blocking(settings.state)),
        ),
        Check("notify", lambda: _desktop_blocking(it)),
        Check("service", lambda: _service_blocking(it), seconds=SECONDS_FOR_DATABASE),
        Check("leftovers", lambda: _leftovers_blocking(it), show(quarantine)),
        Check("lists", lambda: lists.kept_blocking(it.database, it.clock.now())),
        *_lists(it),
        Check(
            "known-good",
            lambda: known_good.known_good_blocking(
                settings.state / KNOWN_GOOD, settings.sources, it.clock.now()
            ),
        ),
        Check("virustotal", lambda: _account_blocking(it), seconds=SECONDS_FOR_ACCOUNT),
    ]


def places_checks(it: Installation) -> list[Check]:
    """Those that tell at once whether the folders somebody chose will do."""
    return [each for each in checks(it) if each.name in {"folders", "moving", "watching"}]


def _defaults() -> Finding:
    to_do = "`checkfirst init` asks what you want and writes one."
    return note("There is no settings file; all settings have their defaults", to_do)


def _folder(role: folders.Role, path: bytes) -> Check:
    def look_blocking() -> list[Finding]:
        return folders.judge_folder(folders.look_at_folder_blocking(role, path))

    return Check("folders", look_blocking, show(path))


def _moving(it: Installation, root: bytes, state: bytes) -> Check:
    def look_blocking() -> list[Finding]:
        if not os.path.isdir(root):
            return []  # told by the look at the folder
        return moving.judge_moving(moving.look_at_moving_blocking(root, state, it.token()))

    return Check("moving", look_blocking, show(root))


def _lists(it: Installation) -> list[Check]:
    """One for each file, as one may lie on a mount that is dead."""

    def check(name: ListName, path: Path) -> Check:
        def look_blocking() -> list[Finding]:
            read = lists.read_list_blocking(name, path)
            return lists.judge_list(name, read, it.clock.now())

        return Check("lists", look_blocking, show(bytes(path)), SECONDS_FOR_LISTS)

    named = it.loaded.settings.lists
    both = ((ListName.ALLOW, named.allow), (ListName.BLOCK, named.block))
    return [
        check(name, path)
        for name, entries in both
        for path in dict.fromkeys(entries)
        if isinstance(path, Path)
    ]


def _watching_blocking(it: Installation) -> list[Finding]:
    intake = it.loaded.settings.intake
    running = running_pid(it.loaded.settings.state) is not None
    return judge_watching(
        look_at_watching_blocking(
            it.watched, intake.watcher, recursive=intake.recursive, running=running
        )
    )


def _database_blocking(it: Installation) -> list[Finding]:
    checkup = checkup_blocking(it.database, SECONDS_FOR_DATABASE / 2)
    return database.judge_database(checkup, it.database)


def _clock_blocking(it: Installation) -> list[Finding]:
    return judge_clock(it.clock.now(), checkup_blocking(it.database, 0.0).newest)


def _desktop_blocking(it: Installation) -> list[Finding]:
    notify = it.loaded.settings.notify
    desktop = Desktop(press=lambda _: None, environ=it.environ)
    wanted = notify.desktop and notify.level != "none"
    return judge_desktop(wanted=wanted, why_not=desktop.why_not_blocking())


def _service_blocking(it: Installation) -> list[Finding]:
    running = running_pid(it.loaded.settings.state) is not None
    return at_login.judge_service(
        at_login.look_at_service_blocking(it.loaded.path, it.environ, running=running)
    )


def _leftovers_blocking(it: Installation) -> list[Finding]:
    settings = it.loaded.settings
    state = os.fsencode(settings.state)
    released, quarantine = os.fsencode(settings.released), os.fsencode(settings.quarantine)
    held = [os.path.join(state, b"held"), *(os.path.join(root, INSIDE) for root in it.watched)]
    try:
        with Reading(it.database) as reading:
            known = {row.held for row in reading.unfinished() if row.held is not None}
    except StoreError:
        held, known = [], set()  # told by the look at the database
    return leftovers.judge_leftovers(
        leftovers.look_at_leftovers_blocking(
            [*it.watched, released, quarantine], held, quarantine, known, it.clock.now()
        )
    )


def _asked_blocking(probe: "Callable[[SecretStr], Probed]", key: "SecretStr") -> list[Finding]:
    try:
        return account.judge_answer(probe(key), "")
    except StoreError as error:
        return [problem(error.title, error.to_do, error.about)]


def _account_blocking(it: Installation) -> list[Finding]:
    settings = it.loaded.settings
    if "virustotal" not in settings.sources:
        return [
            note(f"VirusTotal is not asked: {escape(meaning(settings.sources, settings.mode))}")
        ]
    now = it.clock.now()
    limits = settings.virustotal
    try:
        facts = account.KeyFacts(search_key(settings, it.environ))
    except CheckfirstError as error:
        facts = account.KeyFacts(error=error)
    found = [*account.judge_key(facts), *account.judge_way(limits.url, it.environ)]
    key = facts.search.found if facts.search else None
    if key is not None:
        checkup = checkup_blocking(it.database, 0.0)
        if it.probe is None:
            found += account.judge_answer(None, "--offline")
        elif not checkup.exists:
            why = (
                "there is no database yet to count the request in; `checkfirst key test` makes one"
            )
            found += account.judge_answer(None, why)
        elif not checkup.usable:
            found += account.judge_answer(None, "the request could not be counted in the database")
        else:
            found += _asked_blocking(it.probe, key.key)
    try:
        with Reading(it.database) as reading:
            used = reading.quota(now)
            told = reading.allowance(limits.account)
    except StoreError:
        return found
    allowed = Limits(limits.per_minute, limits.per_day, limits.per_month)
    return [*found, *account.judge_quota(used, narrower(allowed, told), now)]
