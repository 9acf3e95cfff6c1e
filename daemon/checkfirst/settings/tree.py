"""Settings as they were written: nested plain values, and where each of them stands.

A key path is a tuple of names and list positions, such as `("watch", 0)`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

KeyPath = tuple[str | int, ...]

_FIT_TO_SHOW = re.compile(r"[A-Za-z0-9_-]{1,30}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a problem is: the words before the key, and what they are sorted by."""

    text: str
    order: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and what would be right."""

    place: Place
    key: KeyPath
    text: str

    def __str__(self) -> str:
        """`settings.yaml:5:5: intake.recursve: not a known setting; …`."""
        return ": ".join(part for part in (self.place.text, dotted(self.key), self.text) if part)


@dataclass(slots=True)
class Written:
    """What one source of settings says."""

    values: dict[str, object] = field(default_factory=dict)
    places: dict[KeyPath, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def dotted(key: KeyPath) -> str:
    """The key as people write it; a part that may be no name at all is not repeated."""
    return ".".join(shown(part) for part in key)


def shown(part: str | int) -> str:
    """A key fit to be shown: a secret in the wrong place looks like no name of a setting."""
    text = str(part)
    return text if _FIT_TO_SHOW.fullmatch(text) else f"(a name of {len(text)} characters)"


def value_at(tree: object, key: KeyPath) -> object:
    """The value there, or None."""
    for part in key:
        if isinstance(tree, Mapping):
            tree = tree.get(part)
        elif isinstance(tree, list | tuple) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return None
    return tree


def leaves(tree: Mapping[str, object], above: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of all values that are no mappings."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*above, name))
        else:
            yield (*above, name)


def merge(below: dict[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """What both say; where they differ, `above` wins. Lists are replaced, not joined."""
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        if isinstance(value, Mapping):
            merged[name] = merge(old if isinstance(old, dict) else {}, value)
        else:
            merged[name] = value
    return merged


def with_changes(
    tree: Mapping[str, object], changes: Mapping[KeyPath, object]
) -> dict[str, object]:
    """The tree with these values in place of what it had there."""
    changed = dict(tree)
    for key, value in changes.items():
        branch: dict[str, object] = {str(key[-1]): value}
        for part in reversed(key[:-1]):
            branch = {str(part): branch}
        changed = merge(changed, branch)
    return changed


def without(tree: Mapping[str, object], keys: set[KeyPath]) -> dict[str, object]:
    """The tree without the values at `keys`; a list that lost all its items goes as a whole."""
    items = {key[: len(setting_of(key)) + 1] for key in keys}
    return _pruned(tree, (), items)


def _pruned(
    branch: Mapping[str, object], above: KeyPath, gone: Collection[KeyPath]
) -> dict[str, object]:
    kept: dict[str, object] = {}
    for name, value in branch.items():
        path = (*above, name)
        if isinstance(value, Mapping):
            left: object = _pruned(value, path, gone)
        elif isinstance(value, list | tuple):
            left = [item for n, item in enumerate(value) if (*path, n) not in gone]
        else:
            left = value
        if path not in gone and (left or not value):
            kept[name] = left
    return kept


def as_in(key: KeyPath, keys: set[KeyPath]) -> KeyPath:
    """Where in the whole tree the value lies that `without(tree, keys)` has at `key`."""
    *setting, n = key
    if not isinstance(n, int):
        return key
    at = len(setting)
    lost = {each[at] for each in keys if list(each[:at]) == setting and len(each) > at}
    for gone in sorted(each for each in lost if isinstance(each, int)):
        n += gone <= n
    return (*setting, n)


def setting_of(key: KeyPath) -> KeyPath:
    """The path of the setting itself, without positions in its list."""
    return key[: next((n for n, part in enumerate(key) if isinstance(part, int)), len(key))]
