"""Where the VirusTotal API key comes from, and how one is put away.

The key is looked for in the order of how deliberately it was given. Nothing here ever repeats a
key, whole or in part: not in an error, not in a warning, not in a log.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from checkfirst.errors import SettingsError
from checkfirst.settings.keyring import Keyring, KeyringError, system_keyring_blocking
from checkfirst.settings.places import config_folder
from checkfirst.settings.regular import read_regular_blocking

if TYPE_CHECKING:
    from checkfirst.settings.schema import Settings

WAYS = """\
checkfirst needs a VirusTotal API key. A free one is on your account page:
  https://www.virustotal.com/gui/my-apikey   (sign up at https://www.virustotal.com/gui/join-us)
Give it in one of three ways:
  1. checkfirst key set                              asks for it and keeps it safe
  2. CHECKFIRST_VIRUSTOTAL__API_KEY=...              a variable in the environment
  3. virustotal: {api_key_file: ~/virustotal.key}    a file, named in settings.yaml
"""
"""What `run` prints when there is no key."""

CREDENTIAL = "checkfirst_virustotal__api_key"
"""The file name of a systemd credential (systemd.exec(5), LoadCredential=) or Docker secret."""

SHORT_CREDENTIAL = "api_key"
"""Another name of a systemd credential; those of a unit are its own, so it may be short."""

KEY_FILE = "virustotal.key"
_LONGEST = 256

OpenKeyring = Callable[[], Keyring | None]
"""Gives the keyring of this session, if there is one."""


@dataclass(frozen=True, slots=True)
class Found:
    """A key and where it came from."""

    key: SecretStr
    where: str
    """In words, for status and doctor."""
    warning: str | None = None
    """What is wrong with the place, when something is."""


@dataclass(frozen=True, slots=True)
class Search:
    """What became of looking for a key."""

    found: Found | None
    trouble: KeyringError | None = None
    """A keyring that may have held it and did not say."""


def without_fault(text: str) -> str:
    """The key without the blanks around it; ValueError in words when it cannot be one."""
    key = text.strip()
    if not key:
        raise ValueError("the API key is empty")
    if len(key) > _LONGEST:
        raise ValueError(
            f"the API key is too long to be one ({len(key)} characters; VirusTotal's have 64)"
        )
    if not all("!" <= character <= "~" for character in key):
        raise ValueError(
            "the API key has blanks, line breaks or foreign characters inside; copy it anew"
        )
    return key


def api_key(settings: "Settings", environ: Mapping[str, str]) -> SecretStr | None:
    """The key, or None; see `find_key`."""
    found = find_key(settings, environ)
    return found.key if found else None


def find_key(settings: "Settings", environ: Mapping[str, str]) -> Found | None:
    """The first key there is; see `search_key`. A keyring that does not answer has none."""
    return search_key(settings, environ).found


def search_key(
    settings: "Settings",
    environ: Mapping[str, str],
    *,
    docker_secrets: Path = Path("/run/secrets"),
    keyring: OpenKeyring = system_keyring_blocking,
) -> Search:
    """The first key among settings and environment, files, credentials, keyring, own file.

    Reads files and asks the system keyring, which may take seconds: not for the event loop.
    Raises SettingsError when a place is there but cannot be read or holds no key.
    """
    if settings.virustotal.api_key is not None:
        return Search(Found(settings.virustotal.api_key, "settings or environment"))
    if settings.virustotal.api_key_file is not None:
        return Search(_from_file(settings.virustotal.api_key_file, private=True, must_exist=True))
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    ours = [Path(credentials, name) for name in (CREDENTIAL, SHORT_CREDENTIAL) if credentials]
    for path in (*ours, docker_secrets / CREDENTIAL):
        if found := _from_file(path, private=False):
            return Search(found)
    trouble = None
    if ring := keyring():
        try:
            kept = ring.read_blocking()
        except KeyringError as error:
            trouble = error
        else:
            if kept:
                return Search(_checked(kept, ring.name))
    return Search(_from_file(config_folder(environ) / KEY_FILE, private=True), trouble)


def _checked(text: str, where: str, warning: str | None = None) -> Found:
    try:
        return Found(SecretStr(without_fault(text)), where, warning)
    except ValueError as fault:
        raise SettingsError([f"{where}: {fault}"]) from None


def _from_file(path: Path, *, private: bool, must_exist: bool = False) -> Found | None:
    try:
        content, mode = read_regular_blocking(path, _LONGEST * 8)
    except FileNotFoundError:
        if not must_exist:
            return None
        problem = f"{path}: there is no such file; virustotal.api_key_file must name one"
        raise SettingsError([problem]) from None
    except OSError as error:
        problem = f"{path}: the API key cannot be read: {error.strerror}"
        raise SettingsError([problem]) from None
    warning = None
    if private and os.name == "posix" and mode & 0o077:
        warning = f"{path} can be read by others on this machine; run: chmod 600 {path}"
    return _checked(content.decode("utf-8", "replace"), str(path), warning)


def store_key_blocking(key: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Keep the key in a file of the person's own, mode 0600, written whole or not at all.

    Raises SettingsError when it can be no key or the folder cannot be written.
    """
    path = config_folder(environ) / KEY_FILE
    content = _checked(key, "the key you gave").key.get_secret_value().encode() + b"\n"
    draft = path.with_name(f".{KEY_FILE}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123  (0600 from the first moment on)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        problem = f"{path}: the API key cannot be kept here: {error.strerror}"
        raise SettingsError([problem]) from None
    return path
