"""Settings from environment variables: CHECKFIRST_ and the key's path, joined by two underscores.

Values are read as YAML, so that `CHECKFIRST_WATCH='[~/Downloads, ~/Desktop]'` is a list, except
where text is wanted anyway: a path or a key would only lose by it. Names that are no settings are
problems, because a typing error in a name would otherwise pass for the default.
"""

import difflib
from collections.abc import Iterable, Mapping

from checkfirst.settings import yaml
from checkfirst.settings.tree import KeyPath, Place, Problem, Written, leaves, merge, shown

PREFIX = "CHECKFIRST_"
RESERVED = ("CHECKFIRST_SETTINGS", "CHECKFIRST_FAILPOINT")
"""Names with the prefix that are no settings; those that only begin with the second neither."""

_TEXT = frozenset(
    {
        ("released",),
        ("quarantine",),
        ("state",),
        ("virustotal", "api_key"),
        ("virustotal", "api_key_file"),
        ("virustotal", "url"),
        ("log", "file"),
    }
)
_LISTS = frozenset(
    {
        ("watch",),
        ("intake", "ignore"),
        ("unknowns", "submit_types"),
        ("lists", "allow"),
        ("lists", "block"),
    }
)


def is_setting(name: str) -> bool:
    """Whether a variable of this name is meant for the settings."""
    return name.startswith(PREFIX) and name != RESERVED[0] and not name.startswith(RESERVED[1])


def read(environ: Mapping[str, str], known: Iterable[KeyPath]) -> Written:
    """What the variables say. `known`: the paths of all keys and groups of keys."""
    keys = {variable(key): key for key in known}
    written = Written()
    for name in sorted(filter(is_setting, environ)):
        place = Place(f"environment variable {name}", (1, 0, 0))
        key = keys.get(name)
        if key is None:
            place = Place(f"environment variable {PREFIX}{shown(name[len(PREFIX) :])}", (1, 0, 0))
            close = difflib.get_close_matches(name, keys, 1)
            advice = f"; did you mean {close[0]}?" if close else ""
            written.problems.append(Problem(place, (), f"not a known setting{advice}"))
            continue
        try:
            branch: dict[str, object] = {str(key[-1]): _value(environ[name], key)}
        except ValueError as fault:
            written.problems.append(Problem(place, (), str(fault)))
            continue
        for part in reversed(key[:-1]):
            branch = {str(part): branch}
        written.values = merge(written.values, branch)
        written.places[key] = place
        written.places.update((leaf, place) for leaf in leaves(branch))
    return written


def variable(key: KeyPath) -> str:
    """The name of the variable for a key."""
    return PREFIX + "__".join(str(part) for part in key).upper()


def _value(text: str, key: KeyPath) -> object:
    if key in _TEXT:
        return None if key[-1] == "file" and text in {"", "null"} else text
    parsed = yaml.parse(f"value: {text}", "")
    if parsed.problems or set(parsed.values) - {"value"}:
        raise ValueError("cannot be read as a value; try quotes around it")
    value = parsed.values.get("value")
    return [value] if key in _LISTS and isinstance(value, str) else value
