"""The systemd unit, for a person's own service manager and, as an example, for the whole machine.

Both are one text with two heads. Every line that a stricter unit would have, and this one cannot,
has a comment that says why.
"""

from collections.abc import Sequence

from checkfirst.errors import Problem

NAME = "checkfirst.service"
MARK = "# Written by `checkfirst service install`; `checkfirst service remove` takes it away."

_HEAD = """\
[Unit]
Description=checkfirst, which judges every download before it can be opened
{unit}# It stands guard, so it is never given up: a full disk or a locked keyring may pass.
StartLimitIntervalSec=0

[Service]
# From READY=1 on, new files are held. No such type as notify-reload before systemd 253.
Type=notify
NotifyAccess=main
# Where no settings.yaml lies about: only the one that is named counts, or the one in ~/.config.
WorkingDirectory=/
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=30s
# What lay in the held folder is gone through first, which may be much.
TimeoutStartSec=15min
# It stops within 8 seconds, or what it does is safe to kill.
TimeoutStopSec=30s
# Signs of life come from the line itself; without one for as long as this it is started anew.
WatchdogSec=5min
{who}"""

_EVERYWHERE = """\
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# No ProcSubset=pid: the limits of inotify are read in /proc/sys.
# No PrivateNetwork, no IPAddressDeny: VirusTotal is asked.
# No UMask: the released folder is as open as the folders beside it.
"""

_USER = """\
# Not strict: each path of ReadWritePaths is a mount of its own, and no file can be renamed from one
# mount to another; Downloads, held folder, Released and quarantine must be one. (Before systemd 253
# a user's manager ignores the lines about mounts: it has no right to make any.)
ProtectSystem=full
# No ProtectHome: the files to be judged are at home, and so are settings, journal and quarantine.
# No PrivateTmp, no PrivateDevices: a watched folder may lie in /tmp or on /dev/shm.
# No PrivateUsers: where namespaces are forbidden, the unit would not start at all. From 253 on it
# is implied where it can be.
# No CapabilityBoundingSet, and no ProtectClock, ProtectKernelLogs, ProtectKernelModules, which take
# from it: a user's manager may not, and the unit ends with 218 (seen with systemd 252). There is no
# capability to be dropped, and the system calls are not in the filter.
# D-Bus stays open (AF_UNIX, and no InaccessiblePaths on /run/user): the keyring and the desktop are
# reached through it. Pages and folders are opened by systemd-run, outside of this sandbox.
"""

_WHO = """\
User=checkfirst
Group=checkfirst
"""

_SYSTEM = """\
# The key, readable for root alone: systemd hands it on as $CREDENTIALS_DIRECTORY/api_key.
LoadCredential=api_key:/etc/checkfirst/virustotal.key
# /var/lib/checkfirst: `state` and `quarantine` of the settings.
StateDirectory=checkfirst
StateDirectoryMode=0700
# The only other place it may write to: the watched folder, with Released in it. Between the two
# files are copied, as each is a mount of its own; `checkfirst status` says so. Within it they move.
ProtectSystem=strict
ReadWritePaths=/srv/downloads
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProtectClock=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
# No capability: what others own is judged as far as this user may read and move it.
CapabilityBoundingSet=
# No PrivateUsers: those others would all be nobody.
"""


def user_unit(command: Sequence[str]) -> str:
    """The unit that a person's own service manager starts at login."""
    head = _HEAD.format(unit="", who="", command=command_line(command))
    tail = "\n[Install]\nWantedBy=default.target\n"
    return f"{MARK}\n{head}\n{_EVERYWHERE}{_USER}{tail}"


def system_unit() -> str:
    """An example for a machine that guards a folder of many people; to be changed by hand."""
    command = ["/opt/checkfirst/bin/checkfirst", "--settings", "/etc/checkfirst/settings.yaml"]
    head = _HEAD.format(
        unit="RequiresMountsFor=/srv/downloads\n",
        who=_WHO,
        command=command_line([*command, "run"]),
    )
    about = (
        "# An example for a whole machine: put it into /etc/systemd/system, and change the\n"
        "# folders here and in /etc/checkfirst/settings.yaml to your own. See docs/service.md.\n"
    )
    return f"{about}{head}\n{_EVERYWHERE}{_SYSTEM}\n[Install]\nWantedBy=multi-user.target\n"


def command_line(command: Sequence[str]) -> str:
    """Quote a command for ExecStart, systemd.service(5): `%` doubled, and `$` but in the program.

    Raises Problem where a path holds what no unit can say.
    """
    program, *arguments = command
    if set(program) & set("'\"\\"):  # systemd refuses such a program, though not such an argument
        program, arguments = "/usr/bin/env", list(command)
    return " ".join([_quoted(program), *(_quoted(each.replace("$", "$$")) for each in arguments)])


def _quoted(word: str) -> str:
    if not word.isprintable():
        raise Problem(
            "This path cannot be written into a unit",
            "Rename it, or start checkfirst in another way.",
            about=ascii(word),
        )
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped if word and not set(word) & set(" \t'\";\\") else f'"{escaped}"'
