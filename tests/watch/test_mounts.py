import pytest

from checkfirst.watch.mounts import filesystem_blocking, is_remote, kind_of

MOUNTS = rb"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:26 / /home/ann/My\040Disk rw - fuse.sshfs ann@host: rw
31 22 0:27 / /mnt rw - nfs4 server:/export rw
32 31 8:1 / /mnt/usb rw master:2 propagate_from:3 - vfat /dev/sda1 rw
33 22 0:30 / /mnt/usb rw - tmpfs tmpfs rw
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"/", "ext4"),
        (b"/home/ann", "ext4"),
        (b"/home/ann/My Disk", "fuse.sshfs"),
        (b"/home/ann/My Disk/x", "fuse.sshfs"),
        (b"/home/ann/My Disks", "ext4"),
        (b"/mnt/a", "nfs4"),
        (b"/mnt/usb/x", "tmpfs"),
    ],
)
def test_the_deepest_and_last_mount_counts(path, kind):
    assert kind_of(path, MOUNTS) == kind


def test_without_any_mount_the_kind_is_unknown():
    assert kind_of(b"/x", b"") == ""


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "vboxsf", "fuse.sshfs", "fuse.new"]
)
def test_filesystems_with_writers_elsewhere_are_remote(kind):
    assert is_remote(kind)


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "fuseblk", "fuse.gocryptfs", "vfat", ""]
)
def test_local_filesystems_are_not_remote(kind):
    assert not is_remote(kind)


def test_this_machine_tells_of_proc():
    assert filesystem_blocking(b"/proc") == "proc"
