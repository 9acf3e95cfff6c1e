"""File names, made fit for a person's eyes and for a folder that may already have one like it.

A name is bytes as the kernel gives them and is hostile: it may hold newlines, terminal escapes,
right-to-left overrides, or bytes that are no text at all. Nothing here knows paths or folders.
"""

LONGEST = 255
"""Bytes in one name: NAME_MAX of every usual Linux filesystem, pathconf(3)."""

WAITING_NOTE = b"Waiting.txt"
"""The name in the released folder that is kept for our own note, which comes and goes."""

_SMUGGLED_BYTES = range(0xDC80, 0xDD00)
"""How `surrogateescape` carries undecodable bytes, PEP 383."""
_CONTROLS = range(0xA0)
_FOUR_DIGITS = range(0x10000)

_SHOWN_IN_QUARANTINE = 100
_COMPRESSED = frozenset({b"gz", b"bz2", b"xz", b"zst", b"lz", b"lz4", b"lzma", b"lzo", b"z", b"br"})


def show(name: bytes, at_most: int | None = None) -> str:
    r"""Give the name as text that is printable whatever the bytes are.

    What str.isprintable accepts stays as it is, the backslash included; undecodable bytes and
    control characters become `\xNN`, everything else (bidi overrides, zero-width characters, line
    separators, unusual spaces) `\uNNNN`. `at_most` characters are kept by cutting in the middle.
    """
    text = name.decode("utf-8", "surrogateescape")
    if not text.isprintable():
        text = _escaped(text)
    return text if at_most is None else _cut_in_the_middle(text, at_most)


def escape(text: str) -> str:
    """Do the same for text that may hold control characters or surrogate escapes."""
    return text if text.isprintable() else _escaped(text)


def numbered(name: bytes, n: int) -> bytes:
    """Give the n-th name to try: itself, then `name (1).ext`, `name (2).ext` and so on.

    The number goes before the last suffix, `.tar.gz` and its like counting as one. The stem is cut
    where 255 bytes would be passed, on a character border where it is UTF-8. All results for one
    name differ. A suffix that would leave no room for any stem counts as part of the stem.
    """
    if n == 0:
        return name
    mark = b" (%d)" % n
    stem, suffix = _split(name)
    if len(mark) + len(suffix) >= LONGEST:
        stem, suffix = name, b""
    stem = _cut(stem, LONGEST - len(mark) - len(suffix))
    if stem + mark + suffix == name:  # 255 bytes long, and numbered by somebody before us
        stem = _cut(stem, len(stem) - 1)
    return stem + mark + suffix


def given(name: bytes, n: int) -> bytes:
    """Give the n-th name to try for a file that is given to the person, as `numbered` does.

    One that has the name of our note begins with the next: it could pass for the note, and be
    removed as the note is.
    """
    return numbered(name, n + 1 if name == WAITING_NOTE else n)


def quarantine_folder(day: str, name: bytes, sha256: str, n: int) -> str:
    """Name the n-th folder to try for a quarantined file, counting from 0.

    `day` is `YYYY-MM-DD`. The result is printable, has no slash, begins with the day and ends with
    the hash or the number, so neither a hidden name nor a trailing dot or space can come of it.
    """
    shown = show(name).replace("/", "_")
    encoded = shown.encode()
    if len(encoded) > _SHOWN_IN_QUARANTINE:
        ellipsis = "…"
        room = _SHOWN_IN_QUARANTINE - len(ellipsis.encode())
        tail = room // 3
        shown = _whole(encoded[: room - tail]) + ellipsis + _whole(encoded[-tail:])
    again = f" ({n + 1})" if n else ""
    return f"{day} {shown} {sha256[:8]}{again}"


def _escaped(text: str) -> str:
    return "".join(
        character if character.isprintable() else _escape_one(ord(character)) for character in text
    )


def _escape_one(point: int) -> str:
    if point in _SMUGGLED_BYTES:
        return f"\\x{point & 0xFF:02x}"
    if point in _CONTROLS:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point in _FOUR_DIGITS else f"\\U{point:08x}"


def _cut_in_the_middle(text: str, at_most: int) -> str:
    if len(text) <= at_most:
        return text
    kept = max(at_most - 1, 0)
    tail = kept // 2
    return text[: kept - tail] + "…" + text[len(text) - tail :]


def _split(name: bytes) -> tuple[bytes, bytes]:
    """Give stem and suffix; leading dots belong to the stem, as in os.path.splitext."""
    stem, dot, last = name.rpartition(b".")
    if not stem.strip(b"."):
        return name, b""
    if last.lower() in _COMPRESSED and stem.lower().endswith(b".tar") and stem[:-4].strip(b"."):
        return stem[:-4], stem[-4:] + dot + last
    return stem, dot + last


def _cut(stem: bytes, room: int) -> bytes:
    if len(stem) <= room:
        return stem
    try:
        stem.decode()
    except UnicodeDecodeError:
        return stem[:room]
    return _whole(stem[:room]).encode()


def _whole(piece: bytes) -> str:
    """Drop the halves of characters at the ends of a cut piece of UTF-8."""
    return piece.decode("utf-8", "ignore")
