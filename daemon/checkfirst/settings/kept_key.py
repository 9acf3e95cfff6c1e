"""Putting the API key away, and forgetting it: in the system keyring, else in a private file.

One key is kept, in one place: whoever keeps a new one takes the old one out of the other place, so
that no key lies about that its owner believes replaced. Nothing here ever repeats a key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from checkfirst.errors import SettingsError
from checkfirst.settings.key import KEY_FILE, OpenKeyring, store_key_blocking, without_fault
from checkfirst.settings.keyring import KeyringError, system_keyring_blocking
from checkfirst.settings.places import config_folder


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the key is now."""

    where: str
    note: str | None = None
    """Why it is not in the keyring, or what else is to be known."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """From where the key is gone."""

    places: tuple[str, ...]
    trouble: KeyringError | None = None
    """A keyring that may still hold it."""


def keep_key_blocking(
    text: str,
    environ: Mapping[str, str],
    *,
    in_file: bool = False,
    keyring: OpenKeyring = system_keyring_blocking,
) -> Kept:
    """Keep the key; raises SettingsError when it can be none or neither place will have it.

    `in_file`: not in the keyring, for a daemon that starts before anybody unlocks one.
    """
    try:
        key = without_fault(text)
    except ValueError as fault:
        raise SettingsError([f"the key you gave: {fault}"]) from None
    ring = keyring()
    if ring is None:
        return Kept(str(store_key_blocking(key, environ)))
    if not in_file:
        try:
            ring.keep_blocking(key)
        except KeyringError as error:
            return Kept(str(store_key_blocking(key, environ)), str(error))
        _remove_file_blocking(environ)
        return Kept(ring.name)
    path = store_key_blocking(key, environ)
    try:
        ring.remove_blocking()
    except KeyringError as error:
        return Kept(str(path), f"An older key in the system keyring would outrank it: {error}")
    return Kept(str(path))


def clear_key_blocking(
    environ: Mapping[str, str], *, keyring: OpenKeyring = system_keyring_blocking
) -> Cleared:
    """Forget the key in both places; raises OSError when the file cannot be removed."""
    places: list[str] = []
    trouble = None
    if ring := keyring():
        try:
            if ring.remove_blocking():
                places.append(ring.name)
        except KeyringError as error:
            trouble = error
    if path := _remove_file_blocking(environ):
        places.append(str(path))
    return Cleared(tuple(places), trouble)


def _remove_file_blocking(environ: Mapping[str, str]) -> Path | None:
    path = config_folder(environ) / KEY_FILE
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return path
