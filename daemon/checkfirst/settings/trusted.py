"""Whether a settings file that nobody named may be believed.

`./settings.yaml` counts before the person's own, so that a checkout can bring its settings along.
But a command that is typed in the Downloads folder would then obey whatever file of that name a
web page has left there. A file that lies where downloads come to or are released to is refused,
unless it is named by `--settings` or CHECKFIRST_SETTINGS.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from checkfirst.settings import environment, find, yaml
from checkfirst.settings.downloads import downloads_blocking
from checkfirst.settings.places import absolute, home

_KEYS = (("watch",), ("released",))


def refusal_blocking(file: find.File, environ: Mapping[str, str]) -> str | None:
    """Why a file that nobody named is not to be obeyed, in words; None when it may be."""
    own = find.own_if_readable_blocking(environ)
    if own is not None and os.path.realpath(file.path) == os.path.realpath(own.path):
        return None
    folder = Path(os.path.realpath(file.path.parent))
    for place in _places(file, own, environ):
        resolved = Path(os.path.realpath(place))
        if folder == resolved or folder.is_relative_to(resolved):
            shown = os.fsencode(place).decode(errors="backslashreplace")
            return (
                f"lies where downloads come to ({shown}) and nobody named it, so it is not "
                f"obeyed; go elsewhere, move it away, or name it: --settings {find.NAME}"
            )
    return None


def _places(file: find.File, own: find.File | None, environ: Mapping[str, str]) -> Iterator[Path]:
    yield downloads_blocking(environ)
    yield Path(home(environ), "Downloads")
    for one in (file, own):
        if one is not None:
            written = yaml.parse(one.content.decode("utf-8-sig", "replace"), "")
            yield from _folders(written.values, one.path.parent, environ)
    yield from _folders(environment.read(environ, _KEYS).values, Path.cwd(), environ)


def _folders(
    values: Mapping[str, object], base: Path, environ: Mapping[str, str]
) -> Iterator[Path]:
    """Folders as far as they can be made out; what is wrong with the others is told elsewhere."""
    watch = values.get("watch")
    for text in [*(watch if isinstance(watch, list) else []), values.get("released")]:
        try:
            yield absolute(text, str(base), home(environ))
        except ValueError:
            continue
