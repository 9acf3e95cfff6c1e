"""The desktop by way of desktop-notifier: an extra, imported when there is something to show.

It logs a failure as if it were its own and reports success all the same, so only its call back
counts. A body is plain text elsewhere, and markup on Linux.
"""

import asyncio
import contextlib
import functools
import html
import importlib
import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from checkfirst import extras
from checkfirst.notify.notifier import CannotNotifyError
from checkfirst.notify.wording import Button, Notice

APP = "checkfirst"

_LIBRARY = "desktop_notifier"
_BUS = "DBUS_SESSION_BUS_ADDRESS"


class Desktop:
    """Shows notifications on this machine; implements `Notifier`."""

    def __init__(
        self,
        press: Callable[[str | bytes], None],
        environ: Mapping[str, str] = os.environ,
        platform: str = sys.platform,
    ) -> None:
        """`press` is called on the loop with what a pressed button is for."""
        self._press = press
        self._environ = environ
        self._platform = platform
        self._library: Any = None
        self._notifier: Any = None

    def why_not_blocking(self) -> str | None:
        """Look whether the library and a session bus are there."""
        if not extras.is_there_blocking(_LIBRARY):
            command = extras.install_command_blocking(_LIBRARY)
            return f"desktop-notifier is not installed ({command})"
        return None if self.has_session else "there is no desktop session here"

    @property
    def has_session(self) -> bool:
        """Whether there is a desktop to be told."""
        return self._platform in {"darwin", "win32"} or bool(self._environ.get(_BUS))

    async def show(self, notice: Notice) -> None:
        """Show it; raises CannotNotifyError."""
        if reason := await asyncio.to_thread(self.why_not_blocking):
            raise CannotNotifyError(reason)
        try:
            was_shown = await self._show(notice)
        except Exception as error:
            await self.close()
            words = str(error) or type(error).__name__
            raise CannotNotifyError(f"the desktop cannot be told ({words})") from error
        except (
            BaseException
        ):  # cancelled, by a time limit perhaps: the connection may hang for ever
            await self.close()
            raise
        if not was_shown:
            await self.close()
            raise CannotNotifyError("the desktop refused the notification")

    async def close(self) -> None:
        """Close the connection; there is one only on Linux, and the library never does."""
        notifier, self._notifier = self._notifier, None
        bus = getattr(getattr(notifier, "_backend", None), "bus", None)
        with contextlib.suppress(Exception):  # foreign code, of which nothing is wanted any more
            if bus is not None:
                bus.disconnect()

    async def _show(self, notice: Notice) -> bool:
        if self._library is None:
            self._library = await asyncio.to_thread(_imported_blocking)
        library = self._library
        if self._notifier is None:
            self._notifier = library.DesktopNotifier(APP)
            await self._notifier.get_capabilities()  # raises where sending only logs
        pressed = self._pressed(notice.button)
        shown: list[bool] = []
        await self._notifier.send(
            notice.title,
            self._body(notice.body),
            urgency=library.Urgency.Critical if notice.is_grave else library.Urgency.Normal,
            icon=library.Icon(name="dialog-warning" if notice.is_grave else "dialog-information"),
            buttons=[library.Button(notice.button.title, on_pressed=pressed)]
            if notice.button
            else [],
            on_clicked=pressed,
            on_dispatched=lambda: shown.append(True),
        )
        return bool(shown)

    def _pressed(self, button: Button | None) -> Callable[[], None] | None:
        return None if button is None else functools.partial(self._press, button.target)

    def _body(self, text: str) -> str:
        """Escape what a server takes for markup, where there may be such a server.

        Desktop Notifications Specification, Markup: `<b>`, `<a>` and `<img>` are among it.
        """
        is_plain = self._platform in {"darwin", "win32"}
        return text if is_plain else html.escape(text, quote=False)


def _imported_blocking() -> Any:  # noqa: ANN401  (an extra that need not be there)
    for name in (_LIBRARY, "dbus_fast"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what fails is told by us
    return importlib.import_module(_LIBRARY)
