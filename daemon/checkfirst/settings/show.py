"""Settings as a text that could be a settings file, secrets masked."""

import re
import textwrap
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from checkfirst.settings.schema import Section, Settings
from checkfirst.settings.tree import KeyPath
from checkfirst.settings.units import duration_text, size_text
from checkfirst.settings.yaml import plain

_PLAIN = re.compile(r"[A-Za-z0-9/~]([A-Za-z0-9/_.~:-]*[A-Za-z0-9/_.~-])?", re.ASCII)
_OTHERS_WORDS = {"yes", "no", "on", "off"}
"""Read as true and false by YAML 1.1, which other programs speak."""
MASK = "***"
_BYTES = "".join(map(chr, range(0xDC80, 0xDD00)))
"""Bytes of a name that is no UTF-8 (PEP 383)."""


_HEADING = """\
# The settings of checkfirst. Every setting is here with its default: change what you like, and
# leave out what you do not care about. `checkfirst settings check` tells what is wrong with it,
# and `checkfirst settings show` what is in force.
#
# Times have units (2s, 5m, 1h30m, 7d) and sizes too (10MB, 1GiB); ~ is your home folder, and a
# relative path begins at the folder of this file. Any setting can be given by a variable as well:
# CHECKFIRST_INTAKE__SWEEP=1m is intake: {sweep: 1m}.
"""


def as_yaml(settings: Settings, origins: Mapping[str, str] | None = None) -> str:
    """Every setting; with `origins`, a comment says where a value that is no default is from."""
    return "\n".join(_lines(settings, origins or {}, ())) + "\n"


def example(changes: Mapping[KeyPath, object] | None = None) -> str:
    """A settings file with every setting, its default and what it is for.

    `changes`: values, as they would be written, that stand in place of defaults.
    """
    return "\n".join([_HEADING, *_example_lines(Settings, (), changes or {})])


def _example_lines(
    model: type[Section], above: KeyPath, changes: Mapping[KeyPath, object]
) -> list[str]:
    lines = []
    indent = "  " * len(above)
    for attribute, info in model.model_fields.items():
        key = info.alias or attribute
        room = 98 - len(indent)
        lines += [f"{indent}# {line}" for line in textwrap.wrap(info.description or "", room)]
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            lines += [f"{indent}{key}:", *_example_lines(info.annotation, (*above, key), changes)]
        else:
            lines.append(f"{indent}{key}: {_text(changes.get((*above, key), info.default))}")
        if not indent:
            lines.append("")
    return lines


def _lines(section: Section, origins: Mapping[str, str], above: tuple[str, ...]) -> list[str]:
    lines = []
    indent = "  " * len(above)
    for attribute, info in type(section).model_fields.items():
        key = (*above, info.alias or attribute)
        value = getattr(section, attribute)
        if isinstance(value, Section):
            lines += [f"{indent}{key[-1]}:", *_lines(value, origins, key)]
            continue
        text = size_text(value) if key == ("log", "rotate") else _text(value)
        origin = origins.get(".".join(key))
        lines.append(f"{indent}{key[-1]}: {text}" + (f"  # from {origin}" if origin else ""))
    return lines


def _text(value: object) -> str:
    match value:
        case None | bool():
            text = {None: "null", True: "true", False: "false"}[value]
        case SecretStr():
            text = f"'{MASK}'"
        case timedelta():
            text = duration_text(value)
        case tuple() | list():
            text = f"[{', '.join(map(_text, value))}]"
        case Path() | str():
            text = _quoted(str(value))
        case _:
            text = str(value)
    return text


def _quoted(text: str) -> str:
    """Plain where YAML reads it as the same text, else in double quotes (YAML 1.2, 7.3.1)."""
    if _PLAIN.fullmatch(text) and plain(text) == text and text.lower() not in _OTHERS_WORDS:
        return text
    escaped = "".join(map(_escaped, text))
    return f'"{escaped}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    if character in _BYTES:
        return f"\\x{code - ord(_BYTES[0]) + 0x80:02x}"
    return f"\\U{code:08x}"
