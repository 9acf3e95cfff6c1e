"""Durations and sizes as people write them, with their units, and back again.

A plain number is refused: nobody can tell from `sweep: 5` whether seconds or minutes are meant.
Values that cannot be used raise ValueError in words that say what would be right, and never
repeat the value, since a secret may have slipped into the wrong line.
"""

import re
from datetime import timedelta

_TIME_UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_TIME = re.compile(
    "".join(rf"(?:(\d{{1,9}}(?:\.\d{{1,3}})?){unit}\s*)?" for unit in _TIME_UNITS), re.ASCII
)
_LONGEST = timedelta(days=36_500)
_TIME_WANTED = "give a time with its unit, such as 30s, 5m, 7d or 1h30m"

_NUMBER = re.compile(r"[0-9.]+")
_LONGEST_TEXT = 60

_SIZE_UNITS = {
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
    "TiB": 1024**4,
}
_SIZE = re.compile(rf"(\d{{1,9}}(?:\.\d{{1,3}})?)\s?({'|'.join(_SIZE_UNITS)})", re.ASCII)
_SMALLEST, _LARGEST = 1000, 1024**5
_SIZE_WANTED = "give a size with its unit, such as 650MB or 1GiB"


def duration(value: object) -> timedelta:
    """A time of any length up to 100 years, nothing (`0s`) included."""
    if isinstance(value, timedelta):
        return value
    text = _text(value)
    found = _TIME.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError(_TIME_WANTED + _too_plain(text))
    milliseconds = sum(
        float(number) * factor
        for number, factor in zip(found.groups(), _TIME_UNITS.values(), strict=True)
        if number
    )
    if milliseconds > _LONGEST.total_seconds() * 1000:
        raise ValueError("give a time of at most 100 years (36500d)")
    return timedelta(milliseconds=milliseconds)


def some_duration(value: object) -> timedelta:
    """A time longer than nothing, for what would otherwise never rest or never begin."""
    length = duration(value)
    if length <= timedelta(0):
        raise ValueError(f"cannot be nothing; {_TIME_WANTED}")
    return length


def size(value: object) -> int:
    """A number of bytes from `10MB` (powers of 1000) or `10MiB` (powers of 1024)."""
    text = _text(value)
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(_SIZE_WANTED + _too_plain(text))
    count = int(float(found[1]) * _SIZE_UNITS[found[2]])
    if not _SMALLEST <= count <= _LARGEST:
        raise ValueError("give a size from 1kB to 1024TiB")
    return count


def _text(value: object) -> str:
    """What was written, unless it is far longer than anything that could be meant."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and value.bit_length() > _LONGEST_TEXT:
        return ""
    text = str(value).strip()
    return text if len(text) <= _LONGEST_TEXT else ""


def _too_plain(text: str) -> str:
    return "; a plain number could mean anything" if _NUMBER.fullmatch(text) else ""


def duration_text(length: timedelta) -> str:
    """The shortest way to write it, such as `7d` or `1h30m`; to the millisecond."""
    left = round(length / timedelta(milliseconds=1))
    if not left:
        return "0s"
    parts = []
    for unit, factor in _TIME_UNITS.items():
        if unit != "w" and left >= factor:
            parts.append(f"{left // factor}{unit}")
            left %= factor
    return "".join(parts)


def size_text(count: int) -> str:
    """The way to write it with the largest unit that leaves no fraction."""
    fitting = [(factor, unit) for unit, factor in _SIZE_UNITS.items() if count % factor == 0]
    factor, unit = max(fitting)
    return f"{count // factor}{unit}"
