"""The few settings that commands need which only read, without the price of a full look.

Validating all settings costs a quarter of a second of processor time, most of it the import of
pydantic; a command that prints a few rows should not take longer for its settings than for its
answer. So the result of a full look is kept in the person's cache folder, under a digest of
everything it came from: the file's bytes and path, the variables, the folder, this code. Whatever
differs leads to a full look. The daemon and whatever moves files never use this.

The kept file holds folders and limits, never a key. Nothing here imports pydantic or ruamel.yaml
before it is needed.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checkfirst import __version__
from checkfirst.settings.downloads import downloads_blocking
from checkfirst.settings.find import File, own_if_readable_blocking, unchecked_blocking
from checkfirst.settings.places import cache_folder

if TYPE_CHECKING:
    from checkfirst.settings.load import Loaded

_KEPT = "settings.json"


@dataclass(frozen=True, slots=True)
class Glance:
    """What status, history, why, log and quarantine list need to know. Paths are absolute."""

    path: str | None
    """The settings file."""
    mode: str
    watch: tuple[str, ...]
    released: str
    quarantine: str
    state: str
    log_file: str
    log_format: str
    per_minute: int
    per_day: int
    per_month: int
    account: str | None
    sources: tuple[str, ...]
    allow: tuple[str, ...]
    block: tuple[str, ...]
    """Hashes, and absolute paths of files that list them."""
    recheck_for: float
    """Seconds."""
    warnings: tuple[str, ...] = ()


def glance_blocking(path: Path | None, environ: Mapping[str, str]) -> Glance:
    """The settings in force, as `load` would find them; SettingsError as from `load`."""
    file = unchecked_blocking(path, environ)
    kept = cache_folder(environ) / _KEPT
    digest = _digest(file, environ)
    if found := _recall(kept, digest):
        return found
    from checkfirst.settings.load import load  # noqa: PLC0415  (the price that is saved above)

    glance = _of(load(path, environ))
    _keep(kept, digest, glance)
    return glance


def _of(loaded: "Loaded") -> Glance:
    settings = loaded.settings
    return Glance(
        path=str(loaded.path) if loaded.path else None,
        mode=settings.mode.value,
        watch=tuple(map(str, settings.watch)),
        released=str(settings.released),
        quarantine=str(settings.quarantine),
        state=str(settings.state),
        log_file=str(settings.log.file or settings.state / "checkfirst.log"),
        log_format=settings.log.format,
        per_minute=settings.virustotal.per_minute,
        per_day=settings.virustotal.per_day,
        per_month=settings.virustotal.per_month,
        account=settings.virustotal.account,
        sources=settings.sources,
        allow=tuple(map(str, settings.lists.allow)),
        block=tuple(map(str, settings.lists.block)),
        recheck_for=settings.recheck.for_.total_seconds(),
        warnings=loaded.warnings,
    )


def _digest(file: File | None, environ: Mapping[str, str]) -> str:
    """SHA-256 over all that the settings depend on, each part led by its length."""
    schema = os.stat(Path(__file__).with_name("schema.py"))  # noqa: PTH116  (one call)
    parts = [
        __version__,
        f"{schema.st_mtime_ns} {schema.st_size}",
        os.getcwd(),  # noqa: PTH109  (a str)
        str(file.path) if file else "",
        file.shown if file else "",
        str(file.open_to_others) if file else "",
        *(f"{name}={value}" for name, value in sorted(environ.items()) if _counts(name)),
    ]
    if file and not file.named:  # whether it is obeyed at all hangs on these: see trusted.py
        own = own_if_readable_blocking(environ)
        parts += [str(downloads_blocking(environ)), str(own.content) if own else ""]
    digest = hashlib.sha256(file.content if file else b"no file")
    for part in parts:
        encoded = part.encode("utf-8", "surrogateescape")
        digest.update(b"%d:%b" % (len(encoded), encoded))
    return digest.hexdigest()


def _counts(name: str) -> bool:
    return name.startswith("CHECKFIRST_") or name in {"HOME", "USERPROFILE"}


def _recall(kept: Path, digest: str) -> Glance | None:
    """What was kept, when it was kept for exactly this and by nobody else."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError), kept.open("rb") as file:
        status = os.fstat(file.fileno())
        if os.name == "posix" and (status.st_uid != os.getuid() or status.st_mode & 0o022):
            return None
        content = json.loads(file.read(1024 * 1024))
        if content["digest"] == digest:
            glance = content["glance"]
            lists = ("watch", "sources", "allow", "block", "warnings")
            return Glance(**{**glance, **{name: tuple(glance[name]) for name in lists}})
    return None


def _keep(kept: Path, digest: str, glance: Glance) -> None:
    """A cache that cannot be written costs time and nothing else."""
    draft = kept.with_name(f".{kept.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123  (0600 from the first moment on)
                json.dump({"digest": digest, "glance": asdict(glance)}, file)
            draft.replace(kept)
        finally:
            draft.unlink(missing_ok=True)
