"""Opens files and pages in the programs that a person has chosen for them."""

import contextlib
import os
import subprocess
import sys
import webbrowser

from checkfirst.errors import FileProblem
from checkfirst.policy.names import show

_PATIENCE_SECONDS = 3.0


def open_file_blocking(path: bytes) -> None:
    """Open a file as a double click would; raises FileProblem when there is no way to."""
    try:
        if sys.platform == "win32":
            os.startfile(os.fsdecode(path))  # noqa: S606  (the file was judged, and this is its purpose)
            return
        opener = b"open" if sys.platform == "darwin" else b"xdg-open"
        program = subprocess.Popen(  # noqa: S603  (a list, and an absolute path, never an option)
            [opener, path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):  # some stay until the window is closed
            if program.wait(_PATIENCE_SECONDS):
                raise FileProblem("The program that should open it failed", about=show(path))
    except FileNotFoundError as error:
        raise FileProblem(
            "It cannot be opened: there is no xdg-open", "Open it by hand.", about=show(path)
        ) from error
    except OSError as error:
        raise FileProblem(f"It cannot be opened: {error}", about=show(path)) from error


def open_page_blocking(url: str) -> None:
    """Show a page in the browser; raises FileProblem when there is none."""
    if not webbrowser.open(url):
        raise FileProblem("No browser could be started", "Open the page by hand.", about=url)
