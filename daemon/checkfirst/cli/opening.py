"""Opens a file or a page for the person who typed the command."""

import os
import sys
import webbrowser

from checkfirst.errors import FileProblem
from checkfirst.notify.opening import launch_blocking
from checkfirst.policy.names import show

_OPENED = b"OPENED_BY_CHECK_FIRST"


def open_file_blocking(path: bytes) -> None:
    """Open a file as a double click would; raises FileProblem when there is no way to.

    `path` is absolute, so never an option. Where our own menu entry is what opens this kind of
    file, it would be opened for ever: the one that we start finds its file in the environment.
    """
    if os.environb.get(_OPENED) == path:
        raise FileProblem(
            "No other program opens files of this kind",
            "Choose one for them in your file manager.",
            about=show(path),
        )
    if sys.platform == "win32":
        os.startfile(os.fsdecode(path))  # noqa: S606  (the file was judged, and this is its purpose)
        return
    how = [b"open" if sys.platform == "darwin" else b"xdg-open", path]
    launch_blocking(how, path, {**os.environb, _OPENED: path})


def open_page_blocking(url: str) -> None:
    """Show a page in the browser; raises FileProblem when there is none."""
    if not webbrowser.open(url):
        raise FileProblem("No browser could be started", "Open the page by hand.", about=url)
