"""What `checkfirst init` is going to write, gathered first and carried out at once."""

import asyncio
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from checkfirst.cli.options import database_of
from checkfirst.clock import SystemClock
from checkfirst.errors import Problem, SettingsError, StoreError
from checkfirst.notify.desktop import Desktop
from checkfirst.policy.names import show
from checkfirst.service.assemble_probe import count_requests, probe_key, probe_key_uncounted
from checkfirst.service.command import (
    can_be_found_blocking,
    own_command,
    program,
    typed_command_blocking,
)
from checkfirst.service.lock import hang_up
from checkfirst.service.own_file import OwnFile
from checkfirst.settings import find, new_file
from checkfirst.settings.downloads import downloads_blocking
from checkfirst.settings.kept_key import keep_key_blocking
from checkfirst.settings.key import Search, search_key, without_fault
from checkfirst.settings.keyring import Keyring, system_keyring_blocking
from checkfirst.settings.load import meant_by
from checkfirst.settings.places import absolute, home
from checkfirst.settings.schema import Settings
from checkfirst.settings.tree import KeyPath, with_changes
from checkfirst.sources.virustotal.probe import Probed


@dataclass(slots=True)
class Plan:
    """The answers so far."""

    path: Path
    """Where the settings go."""
    environ: Mapping[str, str]
    old: new_file.Old | None
    faults: list[str]
    """Why the old file cannot be used."""
    changes: dict[KeyPath, object] = field(default_factory=dict)
    key: SecretStr | None = None
    """A key to be kept."""
    folders: list[Path] = field(default_factory=list)
    """To be made."""
    uncounted: int = 0
    """Requests that the ledger does not know yet."""
    keyring: Keyring | None = None
    program: OwnFile | None = None
    """To be written, where the command would not be found by its name."""
    at_login: bool = False
    """Whether the daemon is to be started at login, and now."""

    def take(self, changes: Mapping[KeyPath, object]) -> None:
        """Add answers; SettingsError when they cannot be used, and then nothing is added."""
        added = self.changes | dict(changes)
        meant_by(self._values(added), self.path.parent, self.environ)
        self.changes = added

    @property
    def settings(self) -> Settings:
        """What the answers mean so far."""
        return meant_by(self._values(self.changes), self.path.parent, self.environ)

    @property
    def old_values(self) -> Mapping[str, object]:
        """What the old file says, where it can be used."""
        return self.old.values if self.old and not self.faults else {}

    def written(self, text: str) -> str:
        """A folder as it is to stand in the file: whole, or from the home folder on.

        Raises ValueError in words when it is no path, or none that a file of UTF-8 can name.
        """
        at_home = home(self.environ)
        path = absolute(text, str(Path.cwd()), at_home)
        if not str(path).isprintable():
            raise ValueError(
                f"{show(os.fsencode(path))} has bytes that cannot be written in a settings file; "
                "rename the folder, or make a link to it"
            )
        if at_home.startswith("/") and path.is_relative_to(at_home) and path != Path(at_home):
            return f"~/{path.relative_to(at_home)}"
        return str(path)

    def try_key_blocking(self, key: SecretStr) -> Probed:
        """Try a key with one request. SettingsError when it can be none."""
        try:
            secret = SecretStr(without_fault(key.get_secret_value()))
        except ValueError as fault:
            raise SettingsError([str(fault)]) from None
        settings, clock = self.settings, SystemClock()
        if database_of(settings.state).exists():
            return asyncio.run(probe_key(settings, secret, clock))
        probed = asyncio.run(probe_key_uncounted(settings, secret, clock))
        self.uncounted += probed.asked_at is not None
        return probed

    def known_key_blocking(self) -> Search:
        """A key that is kept already; SettingsError where a place of keys is broken."""
        return search_key(self.settings, self.environ, keyring=lambda: self.keyring)

    def carry_out_blocking(self) -> Iterator[str]:
        """Write everything but the service; gives a line for each thing done.

        Raises Problem at the first thing that cannot be done.
        """
        settings = self.settings
        for folder in self._missing(settings):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                title = f"The folder cannot be made: {error.strerror}"
                raise Problem(title, "", about=show(os.fsencode(folder))) from None
            yield f"Made     {show(os.fsencode(folder))}"
        kept = new_file.write_blocking(self.path, self._values(self.changes), self.old)
        yield f"Written  {show(os.fsencode(self.path))}"
        if self.program is not None:
            try:
                self.program.write_blocking(force=False)
                yield f"Written  {show(os.fsencode(self.program.path))}, the command"
            except Problem as problem:
                yield f"Failed   {problem}"
        if kept is not None:
            yield f"Kept     the old one as {show(os.fsencode(kept))}"
        if self.key is not None:
            text = self.key.get_secret_value()
            put = keep_key_blocking(text, self.environ, keyring=lambda: self.keyring)
            yield f"Kept     the API key in {put.where}"
            if put.note:
                yield f"         {put.note}"
        if self.uncounted:
            self._count()

    def next_steps_blocking(self) -> Iterator[str]:
        """What is left to do."""
        settings = self.settings
        if hang_up(settings.state):
            yield "checkfirst is running, and reads its settings again."
            return
        command = typed_command_blocking()
        named = program(str(self.path), self.environ)
        is_named = command == "checkfirst" and named.is_written_blocking()
        settings_named = str(self.path) if self._shadowed() and not is_named else None
        if settings_named is not None:
            command += f" --settings {show(os.fsencode(settings_named))}"
        if self.key is None and self.known_key_blocking().found is None:
            yield f"API key first:     {command} key set"
        if not self.at_login:
            yield f"Start it:          {command} run"
        yield f"Look for trouble:  {command} doctor"
        if not command.startswith("checkfirst"):
            alias = f"alias checkfirst={shlex.quote(shlex.join(own_command(settings_named, [])))}"
            yield f"From everywhere:   {show(os.fsencode(alias))}"
            yield "                   (a line for ~/.bashrc or its like)"
        told = settings.notify.desktop and settings.notify.level != "none"
        desktop = Desktop(press=lambda _: None, environ=self.environ)
        if told and desktop.has_session and (why_not := desktop.why_not_blocking()):
            yield f"No notifications:  {why_not}"

    def _values(self, changes: Mapping[KeyPath, object]) -> dict[str, object]:
        """All that is to be in the file; what is released goes where it came from, by default."""
        watch = changes.get(("watch",))
        follows: dict[KeyPath, object] = {}
        if isinstance(watch, list) and "released" not in self.old_values:
            follows[("released",)] = f"{str(watch[0]).rstrip('/')}/Released"
        return with_changes(self.old_values, follows | dict(changes))

    def _missing(self, settings: Settings) -> list[Path]:
        return [folder for folder in settings.watch if not folder.is_dir()]

    def _count(self) -> None:
        try:
            asyncio.run(count_requests(self.settings, self.uncounted, SystemClock()))
        except StoreError:
            return  # the daemon will say the same of its database, and better

    def _shadowed(self) -> bool:
        """Whether another file would count, without a name, from where the person is now."""
        try:
            counts = find.find_blocking(None, self.environ)
        except SettingsError:
            return True
        return counts is None or counts.path != self.path


def begin_blocking(path: Path | None, environ: Mapping[str, str]) -> Plan:
    """With the defaults of this person, or what the old file says. SettingsError, Problem."""
    target = new_file.target(path, environ)
    old = new_file.old_blocking(target, environ)
    faults: list[str] = []
    if old is not None:
        try:
            meant_by(old.values, target.parent, environ)
        except SettingsError as error:
            faults = error.problems
        if old.broken:
            faults = ["it is not written as settings are"]
    plan = Plan(target, environ, old, faults, keyring=system_keyring_blocking())
    file = program(str(target), environ)
    if shutil.which("checkfirst") is None and can_be_found_blocking(file, environ):
        plan.program = file
    downloads = downloads_blocking(environ)
    if "watch" not in plan.old_values and downloads != Path(home(environ), "Downloads"):
        plan.take({("watch",): [plan.written(str(downloads))]})
    return plan
