"""Where this person's downloads come to: the folder that the desktop calls so.

Reads user-dirs.dirs, which xdg-user-dirs-update(1) writes: a shell file of lines such as
`XDG_DOWNLOAD_DIR="$HOME/Téléchargements"`, whose values begin with $HOME/ or /.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from checkfirst.settings.places import home
from checkfirst.settings.regular import read_regular_blocking

_LINE = re.compile(rb'^\s*XDG_DOWNLOAD_DIR\s*=\s*"(\$HOME)?((?:[^"\\]|\\.)*)"\s*$', re.MULTILINE)
_LARGEST = 64 * 1024


def downloads_blocking(environ: Mapping[str, str]) -> Path:
    """The folder; ~/Downloads where nothing else is said. It need not exist."""
    at_home = Path(home(environ))
    usual = at_home / "Downloads"
    config = environ.get("XDG_CONFIG_HOME", "")
    base = Path(config) if config.startswith("/") else at_home / ".config"
    try:
        content, _ = read_regular_blocking(base / "user-dirs.dirs", _LARGEST)
    except OSError:
        return usual
    found = _LINE.findall(content)
    if not found:
        return usual
    below_home, escaped = found[-1]  # a shell that reads the file keeps the last
    text = os.fsdecode(re.sub(rb"\\(.)", rb"\1", escaped))
    if "\0" in text or not text.startswith("/"):
        return usual
    folder = Path(os.path.normpath(f"{at_home}{text}" if below_home else text))
    # The home folder itself stands for "none of its own" there.
    return usual if folder == Path(os.path.normpath(at_home)) else folder
