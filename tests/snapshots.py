"""Texts as a person sees them, kept beside the tests and compared to the letter.

`SNAPSHOTS=renew .venv/bin/pytest FILE` writes them anew; git shows what has changed.
"""

import difflib
import os
from pathlib import Path

FOLDER = Path(__file__).parent / "snapshots"
IS_RENEWING = os.environ.get("SNAPSHOTS") == "renew"


def same(name: str, text: str) -> None:
    """The text must be the one that is kept under that name."""
    path = FOLDER / f"{name}.txt"
    if IS_RENEWING:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    how = "if that is right: SNAPSHOTS=renew .venv/bin/pytest, with the path of this test"
    assert path.exists(), f"there is no {path} yet; {how}"
    before = path.read_text(encoding="utf-8")
    if text != before:
        changes = difflib.unified_diff(
            before.splitlines(), text.splitlines(), "kept", "now", lineterm=""
        )
        raise AssertionError("\n".join([f"it has changed; {how}", *changes]))


def kept(folder: str) -> set[str]:
    """The names that are kept in a folder."""
    return {path.stem for path in (FOLDER / folder).glob("*.txt")}
