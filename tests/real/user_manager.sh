#!/bin/bash
# In mount and pid namespaces of its own: a real `systemd --user` with HOME, and then a script.
# Usage, as root: unshare --mount --pid --fork --kill-child user_manager.sh HOME SCRIPT
set -euo pipefail
home=$1 script=$2
mount --make-rprivate /
mount -t tmpfs tmpfs /run
# As on a machine that it booted.
mkdir -p /run/systemd/{system,unit-root,inaccessible/dir} /run/user/0
touch /run/systemd/inaccessible/reg
chmod 700 /run/user/0
umount --lazy /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
group=/sys/fs/cgroup/checkfirst-test-$(basename "$home")-$RANDOM
mkdir -p "$group/manager"
mount -t proc proc /proc
echo $$ > "$group/manager/cgroup.procs"
export HOME=$home XDG_RUNTIME_DIR=/run/user/0
unset DBUS_SESSION_BUS_ADDRESS INVOCATION_ID NOTIFY_SOCKET XDG_CONFIG_HOME XDG_CACHE_HOME
/lib/systemd/systemd --user --log-target=console > "$home/manager.log" 2>&1 &
for _ in {1..100}; do [[ -S /run/user/0/systemd/private ]] && break; sleep 0.1; done
bash "$script"
