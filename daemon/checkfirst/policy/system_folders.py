"""Folders whose files the system, or a program that was installed, needs where they are.

hier(7) and file-hierarchy(7). Not among them: homes (`/var/home` too), `/srv`, `/mnt`, `/media`,
`/run/media`, and the folders for temporary files, where people keep files of their own.
"""

from typing import Final

_TOP: Final = (
    *(b"/bin", b"/boot", b"/dev", b"/efi", b"/etc", b"/nix", b"/opt", b"/proc", b"/sbin"),
    *(b"/snap", b"/sys", b"/usr", b"/lib", b"/lib32", b"/lib64", b"/libx32", b"/run"),
    *(b"/System", b"/Library", b"/Applications", b"/private/etc"),
)
_IN_VAR: Final = tuple(
    top + name
    for top in (b"/var/", b"/private/var/")
    for name in (
        *(b"account", b"backups", b"cache", b"crash", b"db", b"empty", b"games", b"lib"),
        *(b"local", b"lock", b"log", b"mail", b"opt", b"root", b"run", b"snap", b"spool", b"yp"),
    )
)
_OWN: Final = (b"/run/media", b"/run/user")


def is_of_the_system(path: bytes) -> bool:
    """Whether this file (an absolute path without links) lies in such a folder."""
    if b"/" not in path[1:]:  # beside the top folders themselves
        return True
    return _is_below(path, _TOP + _IN_VAR) and not _is_below(path, _OWN)


def _is_below(path: bytes, folders: tuple[bytes, ...]) -> bool:
    return any(path.startswith(folder + b"/") for folder in folders)
