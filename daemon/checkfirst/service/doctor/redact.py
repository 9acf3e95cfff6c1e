"""Taking out of a text what tells of a person: for reports that are shown to the world.

Names that are known go first. For the others there is no list of what is secret, which would never
be whole, but one of what is not: of a line of the log only words stay that this program can say by
itself. So a name goes wherever it stands; a word of it that is a word of ours, as `report`, stays.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from importlib import resources

_WORD = re.compile(r"[^\W\d_]+")
_PATH = re.compile(r"(?<![\w.])[~/][^\s]*")
_HASH = re.compile(r"\b[0-9a-fA-F]{12,64}\b")
_TOKEN = re.compile(r"\S+")
_NUMBER = re.compile(r"[\d.:,-]+")
_GONE = "…"
_UNSAID = ("demo", "simulator")
"""Parts that speak of files of their own, and never in the log."""


def own_words_blocking() -> frozenset[str]:
    """All words that this program says, in lower case; none where its source is not at hand."""
    words: set[str] = set()
    folders = [resources.files("checkfirst")]
    while folders:
        for entry in folders.pop().iterdir():
            if entry.name.startswith(_UNSAID):
                continue
            if entry.is_dir():
                folders.append(entry)
            elif entry.name.endswith(".py"):
                words.update(_said(entry.read_text("utf-8")))
    return frozenset(words)


def _said(source: str) -> Iterable[str]:
    """Words of strings that are no docstrings."""
    tree = ast.parse(source)
    silent = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in silent
        ):
            yield from (word.lower() for word in _WORD.findall(node.value))


def of_the_person(
    environ: Mapping[str, str], home: str, host: str, account: str | None
) -> dict[str, str]:
    """What stands for the person and the machine, longest first, and what replaces it.

    `account`: at VirusTotal, where the settings name it.
    """
    user = environ.get("USER") or environ.get("LOGNAME") or home.rstrip("/").rpartition("/")[2]
    known = {home.rstrip("/"): "~", host: "(host)", user: "(user)", account or "": "(account)"}
    found = {text: word for text, word in known.items() if len(text) > 1 and text != "root"}
    return dict(sorted(found.items(), key=lambda each: -len(each[0])))


def without_person(text: str, person: Mapping[str, str]) -> str:
    """The text without home folder, user, host and account."""
    for secret, word in person.items():
        before = "" if secret.startswith("/") else r"(?<!\w)"
        text = re.sub(rf"{before}{re.escape(secret)}(?!\w)", word, text)
    return text


def without_hashes(text: str) -> str:
    """The text without what could be a hash, or the beginning of one."""
    return _HASH.sub("(hash)", text)


def without_names(text: str, words: frozenset[str], known: Iterable[str] = ()) -> str:
    """The text with dots for every known name, path, hash, and word that is not our own."""
    for name in known:
        text = text.replace(name, _GONE)
    text = _PATH.sub(_GONE, _HASH.sub(_GONE, text))
    text = _TOKEN.sub(lambda found: _plain(found[0], words), text)
    return re.sub(rf"{_GONE}(\W*{_GONE})+", _GONE, text)


def _plain(token: str, words: frozenset[str]) -> str:
    """The token itself when it is a number or own words alone, and no name with a suffix."""
    inside = token.strip("()[]{}'\"`.,:;")
    if _NUMBER.fullmatch(inside):
        return token
    if "." in inside or any(word.lower() not in words for word in _WORD.findall(inside)):
        return _GONE
    return token
