"""The entry "Open with Check First" in file managers: which files make it, on which platform.

Linux has a menu entry (Desktop Entry Specification) with an icon. For Windows (Send To) and
macOS (a Quick Action) the files are written for real and were never tried.
"""

import plistlib
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from checkfirst.errors import Problem
from checkfirst.service.own_file import OwnFile
from checkfirst.settings.places import home

NAME = "Check First"
WORDS = ("check", "--open", "--browse")
"""What the entry runs, before the files: they are opened, or the page about them is."""
MARK = "# Written by `checkfirst desktop install`; `checkfirst desktop remove` takes it away."

_KINDS = (
    "application/octet-stream",
    "application/vnd.microsoft.portable-executable",
    "application/x-ms-dos-executable",
    "application/x-msdownload",
    "application/x-msi",
    "application/x-executable",
    "application/x-sharedlib",
    "application/x-shellscript",
    "application/x-java-archive",
    "application/vnd.appimage",
    "application/vnd.debian.binary-package",
    "application/x-rpm",
    "application/zip",
    "application/x-7z-compressed",
    "application/vnd.rar",
    "application/x-compressed-tar",
    "application/x-cd-image",
    "application/pdf",
    "application/rtf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.text",
    "text/html",
    "text/x-python",
)
"""Where the entry is offered at once; elsewhere it is among all other programs."""

_ENTRY = """\
{mark}
[Desktop Entry]
Type=Application
Version=1.0
Name={name}
GenericName=Judge a file before it is opened
GenericName[de]=Eine Datei beurteilen, bevor sie geöffnet wird
Comment=Looks a file up at VirusTotal, and opens it if it may be opened
Comment[de]=Schlägt eine Datei bei VirusTotal nach und öffnet sie, wenn sie geöffnet werden darf
Exec={command} %F
Icon=checkfirst
Terminal=false
Categories=Utility;
MimeType={kinds};
"""

_ICON = f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">
<!-- {MARK.removeprefix("# ")} -->
<path d="M32 4 56 12v18c0 15-10 25-24 30C18 55 8 45 8 30V12z" fill="#2b6cb0"/>
<path d="M19 32l9 9 17-19" fill="none" stroke="#fff" stroke-width="6"
 stroke-linecap="round" stroke-linejoin="round"/>
</svg>
"""


def files(
    command: Sequence[str], environ: Mapping[str, str], platform: str = sys.platform
) -> list[OwnFile]:
    """What is to be written; `command` ends with `WORDS`. Raises Problem."""
    if platform == "darwin":
        folder = Path(home(environ), "Library", "Services", f"{NAME}.workflow", "Contents")
        return [
            OwnFile(folder / "Info.plist", _info()),
            OwnFile(folder / "document.wflow", _workflow(command)),
        ]
    if platform == "win32":
        roaming = Path(environ.get("APPDATA") or home(environ))
        folder = roaming / "Microsoft" / "Windows" / "SendTo"
        return [OwnFile(folder / f"{NAME}.cmd", _batch(command), f"rem {MARK[2:]}")]
    given = environ.get("XDG_DATA_HOME", "")
    data = Path(given) if given.startswith("/") else Path(home(environ), ".local", "share")
    return [
        OwnFile(data / "applications" / "checkfirst.desktop", entry(command), MARK),
        OwnFile(
            data / "icons" / "hicolor" / "scalable" / "apps" / "checkfirst.svg",
            _ICON,
            MARK.removeprefix("# "),
        ),
    ]


def entry(command: Sequence[str]) -> str:
    """The menu entry; raises Problem where the command cannot be written into one."""
    if "%" in command[0]:  # GLib looks for such a program with both signs
        raise _unsayable(command[0])
    line = " ".join(_quoted(word) for word in command)
    return _ENTRY.format(mark=MARK, name=NAME, command=line, kinds=";".join(_KINDS))


def _quoted(word: str) -> str:
    """Quote for the key Exec, and then once more as any string of an entry."""
    if not word.isprintable() or "=" in word:
        raise _unsayable(word)
    escaped = word
    for character in ("\\", '"', "`", "$"):
        escaped = escaped.replace(character, f"\\{character}")
    escaped = escaped.replace("%", "%%").replace("\\", "\\\\")
    is_plain = word and not set(word) & set(" \t\"'\\><~|&;$*?#()`")
    return escaped if is_plain else f'"{escaped}"'


def _unsayable(word: str) -> Problem:
    return Problem(
        "This path cannot be written into a menu entry",
        "Install checkfirst, or put its settings, somewhere else.",
        about=ascii(word),
    )


def _batch(command: Sequence[str]) -> str:
    program, *arguments = command
    if program.lower().endswith("python.exe"):
        program = f"{program[: -len('python.exe')]}pythonw.exe"
    line = subprocess.list2cmdline([program, *arguments]).replace("%", "%%")
    return f'@echo off\r\nrem {MARK[2:]}\r\nstart "" {line} %*\r\n'


def _info() -> str:
    service = {
        "NSMenuItem": {"default": NAME},
        "NSMessage": "runWorkflowAsService",
        "NSSendFileTypes": ["public.item"],
    }
    return plistlib.dumps({"NSServices": [service]}).decode()


def _workflow(command: Sequence[str]) -> str:
    """One action, Run Shell Script, which is given the files as arguments."""
    action = {
        "ActionBundlePath": "/System/Library/Automator/Run Shell Script.action",
        "ActionName": "Run Shell Script",
        "ActionParameters": {
            "COMMAND_STRING": f'{shlex.join(command)} "$@"',
            "CheckedForUserDefaultShell": True,
            "inputMethod": 1,
            "shell": "/bin/sh",
            "source": "",
        },
        "BundleIdentifier": "com.apple.RunShellScript",
        "Class Name": "RunShellScriptAction",
    }
    workflow = {
        "AMApplicationBuild": "523",
        "AMDocumentVersion": "2",
        "actions": [{"action": action}],
        "connectors": {},
        "workflowMetaData": {
            "serviceInputTypeIdentifier": "com.apple.Automator.fileSystemObject",
            "serviceOutputTypeIdentifier": "com.apple.Automator.nothing",
            "workflowTypeIdentifier": "com.apple.Automator.servicesMenu",
        },
    }
    return plistlib.dumps(workflow).decode()
