"""The person's own lists: the files of hashes that the settings name, and what commands keep."""

from dataclasses import dataclass
from pathlib import Path

from checkfirst.errors import StoreError
from checkfirst.policy.hashes import Kind
from checkfirst.policy.names import show
from checkfirst.service.doctor.finding import Finding, note, ok, problem
from checkfirst.sources.list_files import Hashes, ListFiles
from checkfirst.sources.remembered import ago
from checkfirst.store.listed import ListName
from checkfirst.store.reading import Reading

_TO_DO = "Mend the line in the file; the others count, and a running daemon reads it by itself."


@dataclass(frozen=True, slots=True)
class Read:
    """A file of hashes as the daemon would read it now."""

    hashes: Hashes
    problems: tuple[str, ...]
    """Each with its file and, where it is about one, its line."""
    changed_at: float | None
    """None where there is no file."""


def read_list_blocking(name: ListName, path: Path) -> Read:
    """Read all of it, by the same code as the daemon."""
    is_block = name is ListName.BLOCK
    found = ListFiles((), (path,)) if is_block else ListFiles((path,), ())
    both = found.read_blocking()
    try:
        changed_at = path.stat().st_mtime
    except OSError:
        changed_at = None
    return Read((both.block if is_block else both.allow)[-1], both.problems, changed_at)


def judge_list(name: ListName, read: Read, now: float) -> list[Finding]:
    """What it holds, of what age, and which of its lines do not count."""
    count = len(read.hashes)
    weak = count - len(read.hashes.packed.get(Kind.SHA256, ()))
    of_them = f", {weak:,} of them SHA-1 or MD5" if weak else ""
    found = [problem(each, _TO_DO if read.hashes else "") for each in read.problems]
    if read.changed_at is None:
        return found
    age = ago(max(now - read.changed_at, 0.0))
    text = f"A list of what to {name} has {count:,} {_hashes(count)}{of_them}, changed {age}"
    if count or found:
        return [*found, ok(text, read.hashes.place)]
    return [note(text, "Fill it, or take it out of `lists`.", read.hashes.place)]


def kept_blocking(database: Path, now: float) -> list[Finding]:
    """What `checkfirst allow` and `block` keep; nothing where they keep nothing."""
    if not database.exists():
        return []
    try:
        with Reading(database) as reading:
            counts = {
                name: sum(
                    each.expires_at is None or each.expires_at > now
                    for each in reading.all_listed(name)
                )
                for name in ListName
            }
    except StoreError:
        return []  # told by the look at the database
    told = ", ".join(f"{count:,} to {name}" for name, count in counts.items() if count)
    return [ok(f"Your own lists hold {told}", show(bytes(database)))] if told else []


def _hashes(count: int) -> str:
    return "hash" if count == 1 else "hashes"
