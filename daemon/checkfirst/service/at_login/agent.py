"""The launchd agent of macOS, launchd.plist(5). Written here and never run."""

import plistlib
from collections.abc import Sequence

NAME = "checkfirst.plist"
LABEL = "checkfirst"


def agent(command: Sequence[str]) -> str:
    """A property list that starts the command at login and again when it fails."""
    wanted = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 30,
        "ProcessType": "Background",
        "ExitTimeOut": 30,
    }
    return plistlib.dumps(wanted).decode()
