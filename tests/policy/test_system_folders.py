import pytest

from checkfirst.policy.system_folders import is_of_the_system


@pytest.mark.parametrize(
    "path",
    [
        *(b"/etc/passwd", b"/usr/bin/env", b"/usr/local/bin/tool", b"/opt/app/run", b"/vmlinuz"),
        *(b"/var/lib/dpkg/status", b"/var/log/syslog", b"/run/systemd/x", b"/lib/x.so"),
        *(b"/boot/grub/grub.cfg", b"/System/x", b"/private/etc/passwd"),
    ],
)
def test_files_of_the_system(path):
    assert is_of_the_system(path)


@pytest.mark.parametrize(
    "path",
    [
        *(b"/home/ann/a", b"/root/a", b"/tmp/a", b"/var/tmp/a", b"/var/home/ann/a"),
        *(b"/mnt/disk/a", b"/media/ann/disk/a", b"/run/media/ann/disk/a", b"/srv/files/a"),
        *(b"/etcetera/a", b"/home/ann/etc/a", b"/Users/ann/a", b"/downloads/a"),
    ],
)
def test_files_of_people(path):
    assert not is_of_the_system(path)
