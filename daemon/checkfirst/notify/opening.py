"""Opens files, folders and pages in the programs that a person has chosen for them."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from checkfirst.errors import FileProblem
from checkfirst.policy.names import show

_PATIENCE_SECONDS = 3.0


def open_blocking(target: str | bytes) -> None:
    """Open a page or a folder on the person's desktop; raises FileProblem when that fails."""
    if sys.platform == "win32":
        os.startfile(os.fsdecode(target))  # noqa: S606  (a page of VirusTotal's, or a folder)
        return
    has_systemd_run = shutil.which("systemd-run") is not None
    how = command(target, os.environ, sys.platform, has_systemd_run=has_systemd_run)
    if how is None:
        raise FileProblem("There is no desktop to open it on", about=show(os.fsencode(target)))
    launch_blocking(how, os.fsencode(target))


def command(
    target: str | bytes, environ: Mapping[str, str], platform: str, *, has_systemd_run: bool
) -> list[bytes] | None:
    """What opens it here; None where nobody would see it.

    Below systemd the browser must be no child of ours: it would live in our sandbox and end with
    us. The user's own systemd starts it instead, and knows the display as it is now.
    """
    target = os.fsencode(target)
    if platform == "darwin":
        return [b"open", target]
    if "INVOCATION_ID" in environ and has_systemd_run:
        run = [b"systemd-run", b"--user", b"--quiet", b"--collect", b"--no-block", b"--"]
        # systemd fills in variables, systemd.service(5).
        return [*run, b"xdg-open", target.replace(b"$", b"$$")]
    # Without a display xdg-open would look for a browser in a terminal: that of the daemon.
    has_display = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return [b"xdg-open", target] if has_display else None


def launch_blocking(
    how: Sequence[bytes], about: bytes, environ: Mapping[bytes, bytes] | None = None
) -> None:
    """Start a program that opens `about`; raises FileProblem when it cannot or fails soon.

    `environ`: its environment, in place of ours.
    """
    try:
        program = subprocess.Popen(  # noqa: S603  (a list, of our own making)
            how,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):  # some stay until the window is closed
            if program.wait(_PATIENCE_SECONDS):
                raise FileProblem("The program that should open it failed", about=show(about))
    except FileNotFoundError as error:
        name = show(how[0])
        raise FileProblem(
            f"It cannot be opened: there is no {name}", "Open it by hand.", about=show(about)
        ) from error
    except OSError as error:
        raise FileProblem(f"It cannot be opened: {error}", about=show(about)) from error
