"""Which filesystem a folder lies on, and whether others can change it behind this kernel's back.

inotify(7) and leases see only what goes through the local kernel. What a server, a host or another
machine writes is invisible to them, so such folders are polled and their files get no lease.
"""

import re

REMOTE = frozenset(
    {
        "9p",  # WSL2's /mnt/c and other host shares
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "drvfs",
        "gfs2",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "prl_fs",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "vmhgfs",
    }
)
"""Filesystem types of mountinfo with writers elsewhere."""

LOCAL_FUSE = frozenset(
    {
        "fuse.bindfs",
        "fuse.cryfs",
        "fuse.encfs",
        "fuse.exfat",
        "fuse.fuse-overlayfs",
        "fuse.gocryptfs",
        "fuse.mergerfs",
        "fuse.ntfs",
        "fuse.ntfs-3g",
        "fuse.securefs",
        "fuse.unionfs",
    }
)
"""FUSE filesystems over local disks; every other `fuse.*` is taken to have a remote side."""


def is_remote(kind: str) -> bool:
    """Whether files of this filesystem type may be written without this kernel knowing."""
    if kind == "fuse" or kind.startswith("fuse."):
        return kind not in LOCAL_FUSE
    return kind in REMOTE


def kind_of(path: bytes, mountinfo: bytes) -> str:
    """Give the filesystem type of an absolute, resolved path; empty when no mount is above it.

    `mountinfo` is the content of /proc/self/mountinfo, proc_pid_mountinfo(5). The deepest mount
    point above the path counts, and of several on one point the last, which covers the others.
    """
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(b" - ")
        fields, filesystem = before.split(b" "), after.split(b" ")
        if not separator or len(fields) < 5:  # noqa: PLR2004  (the mount point is the fifth)
            continue
        point = re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m[1], 8) & 0xFF]), fields[4])
        above = point in (b"/", path) or path.startswith(point + b"/")
        if above and len(point) >= best:
            best, kind = len(point), filesystem[0].decode("ascii", "replace")
    return kind


def filesystem_blocking(path: bytes) -> str:
    """Give the filesystem type of an absolute, resolved path; empty where there is no /proc."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            return kind_of(path, file.read())
    except OSError:
        return ""
