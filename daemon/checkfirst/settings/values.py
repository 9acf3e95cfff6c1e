"""What a single value of the settings may be, told in plain words when it is something else.

Paths need to know where the settings file lies and whose home `~` is: the validation context has
both, as `base` and `home`; without one it is the current folder and user.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    Strict,
    ValidationInfo,
)

from checkfirst.policy import hashes
from checkfirst.settings import places, units
from checkfirst.settings.key import without_fault

_VIRUSTOTAL = re.compile(r"(.+\.)?virustotal\.com\.?")
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")


def _path(value: object, info: ValidationInfo) -> Path:
    context: dict[str, str] = info.context or {}
    return places.absolute(
        value, context.get("base") or str(Path.cwd()), context.get("home") or places.home({})
    )


def _path_or_none(value: object, info: ValidationInfo) -> Path | None:
    return None if value is None else _path(value, info)


def _to_allow(value: object, info: ValidationInfo) -> str | Path:
    return _hash_or_file(value, info, may_be_weak=False)


def _to_block(value: object, info: ValidationInfo) -> str | Path:
    return _hash_or_file(value, info, may_be_weak=True)


def _hash_or_file(value: object, info: ValidationInfo, *, may_be_weak: bool) -> str | Path:
    if isinstance(value, str) and (found := hashes.read(value, may_be_weak=may_be_weak)):
        return found
    if not isinstance(value, str | Path) or not str(value).strip():
        raise ValueError(
            "give a SHA-256 (64 hexadecimal digits) or the path of a file that lists some"
        )
    return _path(value, info)


def _glob(value: str) -> str:
    if not value.strip("*?. "):
        raise ValueError("would ignore every file; give a glob for some names, such as *.iso")
    if "/" in value or "\0" in value:
        raise ValueError("a glob is held against the name alone; leave folders and slashes out")
    return value


def _url(value: str) -> str:
    example = "such as https://www.virustotal.com/api/v3"
    try:
        parts = urlsplit(value)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        raise ValueError(f"give a whole address, {example}") from None
    if not host or any(c.isspace() or not c.isprintable() for c in value):
        raise ValueError(f"give a whole address, {example}")
    if parts.scheme != "https" and not (parts.scheme == "http" and _LOOPBACK.fullmatch(host)):
        raise ValueError(
            f"give an https address, {example}: the API key travels with every request"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"give an address without user, ? or #, {example}")
    # A wrong path could answer as an unknown file does (404, NotFoundError), and release all.
    if _VIRUSTOTAL.fullmatch(host) and parts.path.rstrip("/") != "/api/v3":
        raise ValueError(
            "give an address of version 3 of the API: https://www.virustotal.com/api/v3"
        )
    return value.rstrip("/")


def _key_text(value: object) -> object:
    """An empty key is none: compose files pass variables on whether they are set or not."""
    if not isinstance(value, str):
        return value
    return without_fault(value) if value.strip() else None


def _account(value: object) -> object:
    if not isinstance(value, str):
        return value
    if re.fullmatch("[0-9a-fA-F]{64}", value):
        raise ValueError("give the name of the account, not its key")
    if not re.fullmatch("[A-Za-z0-9._-]{1,64}", value):
        raise ValueError("give the name of the account, as VirusTotal shows it under your picture")
    return value


Account = Annotated[str | None, BeforeValidator(_account)]
Folder = Annotated[Path, BeforeValidator(_path)]
MaybeFile = Annotated[Path | None, BeforeValidator(_path_or_none)]
Duration = Annotated[timedelta, BeforeValidator(units.some_duration)]
MaybeNothing = Annotated[timedelta, BeforeValidator(units.duration)]
Size = Annotated[int, BeforeValidator(units.size)]
Switch = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=0, le=1_000_000_000)]
AtLeastOne = Annotated[int, Strict(), Field(ge=1, le=1000)]
ToAllow = Annotated[str | Path, BeforeValidator(_to_allow)]
ToBlock = Annotated[str | Path, BeforeValidator(_to_block)]
Glob = Annotated[str, AfterValidator(_glob)]
Address = Annotated[str, AfterValidator(_url)]
Key = Annotated[SecretStr | None, BeforeValidator(_key_text)]
