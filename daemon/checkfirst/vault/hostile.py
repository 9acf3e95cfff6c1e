"""Reading facts from JSON that anybody may have written: all or ValueError, and never more."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

_LONGEST_TEXT: Final = 16_384
_MOST_TEXTS: Final = 500
_MOMENT: Final = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Facts:
    """An object's members; each method gives one of a certain kind, or raises ValueError."""

    members: Mapping[str, object]

    def maybe(self, key: str, read: Callable[[str], T]) -> T | None:
        """The member, or None when it is absent or null."""
        return None if self.members.get(key) is None else read(key)

    def text(self, key: str, form: re.Pattern[str] | None = None) -> str:
        """A text of a sensible length and, where that is given, of that form."""
        return _text(self.members.get(key), form)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self.members.get(key)
        if not isinstance(value, list) or len(value) > _MOST_TEXTS:
            raise ValueError("not a list of texts")
        return tuple(_text(one) for one in value)

    def whole(self, key: str, least: int, most: int) -> int:
        """A whole number within these bounds."""
        value = self.members.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError("not a sensible number")
        return value

    def base64(self, key: str) -> bytes:
        """Bytes."""
        try:
            return base64.b64decode(self.text(key), validate=True)
        except binascii.Error as error:
            raise ValueError("not base64") from error

    def seconds(self, key: str) -> float:
        """A moment that was written as `clock.iso` writes it."""
        return datetime.strptime(self.text(key, _MOMENT), "%Y-%m-%dT%H:%M:%S%z").timestamp()


def read_object(data: bytes, largest: int) -> Facts:
    """The object that is all of `data`."""
    if len(data) > largest:
        raise ValueError("too large")
    try:
        members = json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(members, dict):
        raise ValueError("no object")  # noqa: TRY004  (one kind of error for all)
    return Facts(members)


def _text(value: object, form: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError("not a text")
    if form is not None and not form.fullmatch(value):
        raise ValueError("not of that form")
    value.encode()  # UnicodeEncodeError is a ValueError: half characters fit into no database
    return value
