"""Numbers of bytes as a person reads them."""

_UNITS = (("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000))


def readable(count: int) -> str:
    """Give a size with the largest unit that fits, as in `1.2 MB`."""
    for unit, length in _UNITS:
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return "1 byte" if count == 1 else f"{count} bytes"
