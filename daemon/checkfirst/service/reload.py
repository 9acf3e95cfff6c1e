"""The settings read again: the new ones if they can be gone by, else the old ones and a word."""

import asyncio
import logging
import os
from collections.abc import Callable

from pydantic import SecretStr

from checkfirst import logs
from checkfirst.errors import CheckfirstError, Problem
from checkfirst.settings.load import Loaded
from checkfirst.settings.schema import Log, Settings
from checkfirst.watch.root import open_root_blocking

_log = logging.getLogger(__name__)

Reload = Callable[[], tuple[Loaded, SecretStr | None]]


async def reloaded(
    loaded: Loaded, key: SecretStr | None, reload: Reload
) -> tuple[Loaded, SecretStr | None]:
    """The settings as they are now, or the old ones when the new ones cannot be used."""
    try:
        new, new_key = await asyncio.to_thread(reload)
        await asyncio.to_thread(_refuse_blocking, loaded.settings, new.settings)
    except CheckfirstError as error:
        text = "the settings stay as they were: %s"
        logs.say(_log, logging.ERROR, "problem", text, error)
        return loaded, key
    logs.say(_log, logging.INFO, "settings", "read anew")
    if not _same_but_level(new.settings.log, loaded.settings.log):
        text = "the settings of `log` other than `level` take effect when checkfirst is restarted"
        logs.say(_log, logging.WARNING, "problem", "%s", text)
    return new, new_key


def _refuse_blocking(old: Settings, new: Settings) -> None:
    """Raise what speaks against the new settings before the parts that run by the old ones go."""
    if new.state != old.state:
        raise Problem("The state folder cannot change while checkfirst runs", "Restart it.")
    if new.watch != old.watch:
        refused = []
        for folder in new.watch:
            try:
                open_root_blocking(os.fsencode(folder), new.intake.watcher)
            except Problem as problem:
                refused.append(problem)
        if len(refused) == len(new.watch):
            raise refused[0]


def _same_but_level(one: Log, other: Log) -> bool:
    return one.model_copy(update={"level": other.level}) == other
