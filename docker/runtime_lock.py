"""Print the part of a lock that a package needs in order to run, hashes and all.

`python runtime_lock.py PACKAGE LOCK`, with the whole lock and the package installed. A requirement
that is not in the lock is an error: it would come from nowhere.
"""

import re
import sys
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def needed(package: str) -> set[str]:
    """Names of what it requires here, and of what those require, extras left out."""
    found: set[str] = set()
    unseen = [package]
    while unseen:
        for line in requires(unseen.pop()) or []:
            requirement = Requirement(line)
            name = canonicalize_name(requirement.name)
            is_meant = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if is_meant and name not in found:
                found.add(name)
                unseen.append(name)
    return found


def blocks(lock: str) -> dict[str, list[str]]:
    """Each package of the lock with its lines; it may stand there once for each platform."""
    found: dict[str, list[str]] = {}
    for block in re.split(r"\n(?=\S)", lock.strip()):
        name = re.match(r"[A-Za-z0-9._-]+", block)
        if name:
            found.setdefault(canonicalize_name(name[0]), []).append(block)
    return found


def main() -> None:
    """As the module says."""
    package, lock = sys.argv[1:]
    have = blocks(Path(lock).read_text("utf-8"))
    names = needed(package)
    if missing := sorted(names - have.keys()):
        sys.exit(f"{lock} lacks: {', '.join(missing)}")
    sys.stdout.writelines(f"{block}\n" for name in sorted(names) for block in have[name])


if __name__ == "__main__":
    main()
