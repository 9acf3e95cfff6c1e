"""The daemon's life: lock, log, recovery, watching, and an orderly end.

SIGTERM and SIGINT stop it; SIGHUP reads the settings anew and puts the parts together again,
which loses nothing, as everything that is not finished stands in the journal.
"""

import asyncio
import contextlib
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from pydantic import SecretStr

from checkfirst import logs
from checkfirst.clock import Clock, SystemClock
from checkfirst.errors import CheckfirstError, Problem
from checkfirst.model import Arrival
from checkfirst.policy.names import show
from checkfirst.service.assemble import Parts, assemble
from checkfirst.service.assemble_account import account_roles
from checkfirst.service.assemble_deeds import open_database
from checkfirst.service.assemble_second_look import looks_after
from checkfirst.service.assemble_sources import note_of
from checkfirst.service.database_file import DatabaseFile
from checkfirst.service.duties import Duties
from checkfirst.service.garbage import collect_seldom
from checkfirst.service.lanes import LARGE_LANES, SMALL_LANES
from checkfirst.service.lock import only_one
from checkfirst.service.pulse import keep_watchdog
from checkfirst.service.reload import Reload, reloaded
from checkfirst.service.reminders import Reminders
from checkfirst.service.signals import Signals
from checkfirst.service.steady import Steady
from checkfirst.service.supervise import Role, Supervisor
from checkfirst.service.systemd import Systemd
from checkfirst.settings.load import Loaded
from checkfirst.sources.list_files import FromSettings
from checkfirst.store.problem import PassingStoreError
from checkfirst.store.process import is_alive
from checkfirst.vault.folder import make_folder_blocking
from checkfirst.vault.grip import ignore_lease_breaks

if TYPE_CHECKING:
    from checkfirst.store.database import Database

_log = logging.getLogger(__name__)

THREADS = 24
"""Worker threads at most, made when needed: one for each lane, as all may sit in a folder whose
server is away for hours, and enough for all that goes on beside them, such as telling of it. Python
itself makes no more than five on a machine with one core."""

ROOM_AGAIN_SECONDS = 5.0
"""How often a database that has no room to begin with is tried again."""


class Lasting(NamedTuple):
    """What stays the same through all lives of the parts."""

    clock: Clock
    steady: Steady
    lock: int
    """The descriptor of the daemon's lock."""
    signals: Signals
    systemd: Systemd
    file: DatabaseFile


def serve(
    loaded: Loaded,
    key: SecretStr | None,
    *,
    reload: Reload,
    terminal: TextIO | None,
    face: logs.Face = logs.plain,
    verbose: bool,
) -> int:
    """Run until stopped; 0 when asked to stop. Raises Problem when it cannot start or go on.

    Once there is a log, what ends the daemon is logged there as well.
    """
    settings = loaded.settings
    _make_state(settings.state)
    ignore_lease_breaks()
    with only_one(settings.state) as lock:
        file = settings.log.file or settings.state / "checkfirst.log"
        secrets = [key.get_secret_value()] if key else []
        with logs.start(
            settings.log, file, terminal=terminal, face=face, secrets=secrets, verbose=verbose
        ) as log:
            for warning in loaded.warnings:
                logs.say(_log, logging.WARNING, "problem", "%s", warning)

            def reload_for_log() -> tuple[Loaded, SecretStr | None]:
                new, new_key = reload()
                if new_key is not None:
                    log.hide(new_key.get_secret_value())
                log.set_level("debug" if verbose else new.settings.log.level)
                return new, new_key

            collect_seldom()
            return asyncio.run(_live(loaded, key, reload_for_log, SystemClock(), lock))


async def _live(
    loaded: Loaded, key: SecretStr | None, reload: Reload, clock: Clock, lock: int
) -> int:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    systemd = Systemd(clock)
    signals = Signals(systemd.stopping, _last_words)
    steady = Steady(clock)
    database = await open_database(loaded.settings, clock)
    try:
        file = await asyncio.to_thread(DatabaseFile.of_blocking, database.path)
        lasting = Lasting(clock, steady, lock, signals, systemd, file)
        if database.notice:
            logs.say(_log, logging.ERROR, "problem", "%s", database.notice)
        listed: FromSettings | None = None
        while not signals.stop.is_set():
            listed = await _run(loaded, key, database, lasting, listed)
            if signals.take_hang_up():
                systemd.reloading()
                loaded, key = await reloaded(loaded, key, reload)
    except CheckfirstError as error:
        logs.say(_log, logging.CRITICAL, "problem", "checkfirst ends: %s", error)
        raise
    finally:
        await database.close()
    logs.say(_log, logging.INFO, "stopped", "files that wait stay held")
    return 0


async def _run(
    loaded: Loaded,
    key: SecretStr | None,
    database: "Database",
    lasting: Lasting,
    listed: FromSettings | None,
) -> FromSettings:
    """One life of the parts, from recovery to the stop of the last lane.

    `listed`: the person's own lists as the life before knew them, None in the first one. Back
    comes how they are in the end.
    """
    settings = loaded.settings
    clock, steady, lock, signals, systemd, file = lasting
    halted = signals.halt.is_set
    parts = await assemble(
        settings, key, database, clock, lock=lock, steady=steady, stopped=halted, listed=listed
    )
    await asyncio.to_thread(_make_end_blocking, settings.released, 0o755)
    await asyncio.to_thread(_make_end_blocking, settings.quarantine, 0o700)
    rows = await _recovered(parts, signals.again)
    if rows is None:
        return parts.own.from_settings
    await parts.watcher.start(insist=listed is None)
    supervisor = Supervisor(clock, parts.teller.failure)
    duties = Duties(parts, supervisor, systemd, file, database.notice)
    try:
        await duties.choose_held_folders()
        async with asyncio.TaskGroup() as group:
            ready = group.create_task(_say_ready(parts, duties, systemd, rows), name="ready")
            roles = _roles(parts, duties, systemd)
            roles += [*_looks_after(parts, signals), *account_roles(parts, key)]
            await supervisor.run(roles, signals.again)
            ready.cancel()  # nobody empties the line any more that it may still be filling
    except* CheckfirstError as failed:
        raise failed.exceptions[0] from None
    finally:
        await parts.watcher.stop()
        await duties.write_status()
    return parts.own.from_settings


async def _recovered(parts: Parts, again: asyncio.Event) -> list[Arrival] | None:
    """What is left to be worked on; a full disk is waited out, None when a signal comes first."""
    reminders = Reminders(parts.clock)
    while not again.is_set():
        try:
            await parts.journal.release_dead_claims(is_alive)
            rows = await parts.recovery.everything()
        except PassingStoreError as error:
            if (lasting := reminders.met(str(error))) is not None:
                text = "nothing is taken in until then: %s%s"
                logs.say(_log, logging.ERROR, "problem", text, error, lasting)
        else:
            return None if again.is_set() else rows
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROOM_AGAIN_SECONDS):
                await again.wait()
    return None


async def _say_ready(parts: Parts, duties: Duties, systemd: Systemd, rows: list[Arrival]) -> None:
    """Beside the roles, as the line must run while it is filled."""
    await parts.line.resume(rows)
    await duties.write_status()
    folders = ", ".join(show(root.path) for root in parts.watcher.roots)
    mode = parts.settings.mode.value
    text = "%s, mode %s; released files go to %s"
    released = show(os.fsencode(parts.settings.released))
    logs.say(_log, logging.INFO, "watching", text, folders, mode, released)
    systemd.ready()
    if note := note_of(parts.settings):
        logs.say(_log, logging.WARNING, "sources", "%s", note)
    for source in parts.chain.health():
        if source.problem:
            logs.say(_log, logging.ERROR, "problem", "%s: %s", source.name, source.problem)


def _roles(parts: Parts, duties: Duties, systemd: Systemd) -> list[Role]:
    line = parts.line
    watchdog = partial(keep_watchdog, systemd, line.pulse, parts.journal.counts, parts.clock)
    return [
        Role("watching", parts.watcher.run, stage=0),
        Role("settling", parts.settling.run, stage=0),
        Role("wishes", duties.follow_wishes, stage=0),
        *(Role(source.name, source.run, stage=1) for source in parts.remote.sources),
        Role("retrying", line.retries.run, stage=1),
        *(Role(f"line {n}", line.run_small, stage=2) for n in range(SMALL_LANES)),
        *(Role(f"line for large files {n}", line.run_large, stage=2) for n in range(LARGE_LANES)),
        Role("line for huge files", line.run_huge, stage=2),
        Role("second process", parts.crew.run, vital=False, stage=3),
        Role("retention", parts.retention.run, vital=False, stage=3),
        Role("status", duties.keep_status, vital=False, stage=3),
        Role("housekeeping", duties.keep_house, vital=False, stage=3),
        *parts.notifications.roles,
        *([Role("watchdog", watchdog, vital=False, stage=3)] if systemd.watchdog_seconds else []),
    ]


def _looks_after(parts: Parts, signals: Signals) -> list[Role]:
    """What looks after files that have come to their end."""
    looks = looks_after(parts, signals.halt.is_set)
    if looks is None:
        return []
    roles = [Role("blocked files", looks.blocked.run, vital=False, stage=1)]
    if looks.again is not None:
        roles.append(Role("second look", looks.again.run, vital=False, stage=1))
    return roles


def _make_state(state: Path) -> None:
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(
            f"The state folder cannot be made: {error.strerror}",
            "Choose another `state` folder in the settings.",
            about=show(os.fsencode(state)),
        ) from error


def _make_end_blocking(folder: Path, mode: int) -> None:
    """Make a folder in which files end before the first file comes; trouble is told, not fatal."""
    try:
        os.close(make_folder_blocking(os.fsencode(os.path.realpath(folder)), mode))
    except OSError as error:
        text = "%s cannot be made: %s. Files for it stay held."
        name = show(os.fsencode(folder))
        logs.say(_log, logging.ERROR, "problem", text, name, error.strerror)


def _last_words() -> None:
    text = (
        "checkfirst ends without waiting any longer: a disk, a network folder or another program "
        "does not let go. What was going on is put in order at the next start."
    )
    logs.say(_log, logging.CRITICAL, "problem", "%s", text)
