"""Settings from command line, environment, file and defaults, in this order of weight.

Either everything is right, or SettingsError tells every problem there is, with its place. No
value is ever repeated in a problem.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from checkfirst.errors import SettingsError
from checkfirst.settings import environment, find, places, yaml
from checkfirst.settings.crosscheck import clashes_blocking
from checkfirst.settings.problems import in_words
from checkfirst.settings.schema import Section, Settings
from checkfirst.settings.tree import (
    KeyPath,
    Place,
    Problem,
    Written,
    as_in,
    dotted,
    leaves,
    merge,
    setting_of,
    value_at,
    with_changes,
    without,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_COMMAND_LINE = Place("command line", (2, 0, 0))


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where they come from."""

    settings: Settings
    path: Path | None
    """The file, absolute; None when there is none."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Dotted key to `file`, `environment` or `command line`; other keys have their default."""
    warnings: tuple[str, ...] = ()
    """What can be used but should not stay as it is."""


def load(
    path: Path | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    *,
    compare: bool = True,
) -> Loaded:
    """The settings in force.

    Reads files: not for the event loop. Raises SettingsError with every problem. Without `compare`
    settings are not held against each other, and none of the folders they name is looked at.
    """
    known = known_keys()
    file = find.find_blocking(path, environ)
    sources = {
        "file": _from_file(file) if file else Written(),
        "environment": environment.read(environ, known),
        "command line": _from_command_line(overrides or {}),
    }
    merged: dict[str, object] = {}
    for source in sources.values():
        merged = merge(merged, source.values)
    context = {
        "base": str(file.path.parent) if file else os.getcwd(),  # noqa: PTH109  (a str)
        "home": places.home(environ),
    }
    problems = [problem for source in sources.values() for problem in source.problems]
    settings, wrong = _validate(merged, context, known, compare=compare)
    problems += [Problem(_place_of(keys, sources), keys[0], text) for keys, text in wrong]
    if problems or settings is None:
        problems.sort(key=lambda problem: (problem.place.order, problem.place.text))
        raise SettingsError(list(dict.fromkeys(map(str, problems))))
    return Loaded(
        settings, file.path if file else None, _origins(sources), _warnings(file, sources)
    )


def meant_by(values: Mapping[str, object], folder: Path, environ: Mapping[str, str]) -> Settings:
    """What these values would mean in a settings file in `folder`; SettingsError as from `load`."""
    known = known_keys()
    merged = merge(dict(values), environment.read(environ, known).values)
    context = {"base": str(folder), "home": places.home(environ)}
    settings, wrong = _validate(merged, context, known)
    if wrong or settings is None:
        raise SettingsError([f"{dotted(keys[0])}: {text}" for keys, text in wrong])
    return settings


def known_keys(model: type[Section] = Settings, above: KeyPath = ()) -> tuple[KeyPath, ...]:
    """The paths of all keys and groups of keys, in the order of the schema."""
    return tuple(_known_keys(model, above))


def _known_keys(model: type[Section], above: KeyPath) -> Iterator[KeyPath]:
    for name, info in model.model_fields.items():
        key = (*above, info.alias or name)
        yield key
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            yield from _known_keys(info.annotation, key)


def _from_file(file: find.File) -> Written:
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.content.count(b"\n", 0, error.start) + 1
        problem = "not UTF-8 text; save the file as UTF-8"
        return Written(problems=[Problem(Place(f"{file.shown}:{line}"), (), problem)])
    return yaml.parse(text, file.shown)


def _from_command_line(values: Mapping[str, object]) -> Written:
    parts = {key[:length] for key in leaves(values) for length in range(1, len(key) + 1)}
    return Written(dict(values), dict.fromkeys(parts, _COMMAND_LINE))


def _validate(
    values: Mapping[str, object],
    context: dict[str, str],
    known: tuple[KeyPath, ...],
    *,
    compare: bool = True,
) -> tuple[Settings | None, list[tuple[tuple[KeyPath, ...], str]]]:
    """The settings, and what is wrong with them.

    What has a wrong value is left out for once, so that the rest can be held against each other
    and all problems are told together.
    """
    bad: set[KeyPath] = set()
    wrong: list[tuple[tuple[KeyPath, ...], str]] = []
    try:
        settings = Settings.model_validate(values, context=context)
    except ValidationError as found:
        errors = found.errors(include_url=False, include_input=False)
        wrong += [
            ((error["loc"],), in_words(error, values, known))
            for error in errors
            # A list is also called too short when items of it are wrong.
            if error["type"] != "too_short" or not value_at(values, error["loc"])
        ]
        for lists in (_single_items(values, errors), {}):
            bad = {error["loc"] for error in errors} - lists.keys()
            sound = without(with_changes(values, lists), bad)
            with suppress(ValidationError):
                settings = Settings.model_validate(sound, context=context)
                break
        else:
            return None, wrong
    for clash in clashes_blocking(settings) if compare else ():
        keys = tuple(as_in(key, bad) for key in clash.keys)
        if not any(_touches(key, other) for key in keys for other in bad):
            wrong.append((keys, clash.text.format(*map(dotted, keys))))
    return settings, wrong


def _single_items(
    values: Mapping[str, object], errors: list["ErrorDetails"]
) -> dict[KeyPath, object]:
    """As lists, the values that should be such: what they hold counts as soon as that is mended."""
    written = {error["loc"]: value_at(values, error["loc"]) for error in errors}
    wanted = {error["loc"] for error in errors if error["type"] == "tuple_type"}
    return {
        key: [value]
        for key, value in written.items()
        if key in wanted and value and isinstance(value, str)
    }


def _touches(one: KeyPath, other: KeyPath) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _place_of(keys: tuple[KeyPath, ...], sources: Mapping[str, Written]) -> Place:
    """Where the first of the keys that is written anywhere was written last."""
    for key in keys:
        setting = setting_of(key)
        for length in range(len(setting), 0, -1):
            for source in reversed(list(sources.values())):
                if setting[:length] in source.places:
                    return source.places.get(key, source.places[setting[:length]])
    return Place("")


def _origins(sources: Mapping[str, Written]) -> dict[str, str]:
    return {dotted(key): name for name, source in sources.items() for key in leaves(source.values)}


def _warnings(file: find.File | None, sources: Mapping[str, Written]) -> tuple[str, ...]:
    holds_key = value_at(sources["file"].values, ("virustotal", "api_key"))
    if file and file.open_to_others and holds_key:
        problem = "holds the API key and can be read by others on this machine"
        return (f"{file.shown} {problem}; run: chmod 600 {file.shown}",)
    return ()
