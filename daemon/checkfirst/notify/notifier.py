"""What the rest of the program knows of a desktop that can be told something."""

from typing import Protocol

from checkfirst.notify.wording import Notice


class CannotNotifyError(Exception):
    """There is nobody to show a notification to, or it was refused; the text says why."""


class Notifier(Protocol):
    """Shows notifications."""

    def why_not_blocking(self) -> str | None:
        """Why there cannot be any, as far as is seen at a glance and without an attempt."""
        ...

    async def show(self, notice: Notice) -> None:
        """Show it; raises CannotNotifyError, and may hang: the caller sets a time limit."""
        ...

    async def close(self) -> None:
        """Let go of the desktop; a later `show` begins anew."""
        ...
