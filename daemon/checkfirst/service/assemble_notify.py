"""Notifications put together: which concrete class plays which part."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from checkfirst.clock import Clock
from checkfirst.notify.crier import Crier
from checkfirst.notify.desktop import Desktop
from checkfirst.notify.news import wanted
from checkfirst.notify.opener import Opener
from checkfirst.notify.opening import open_blocking
from checkfirst.service.herald import Herald
from checkfirst.service.supervise import Role
from checkfirst.settings.schema import Notify


@dataclass(frozen=True, slots=True)
class Notifications:
    """What hears of things, and the roles that show and open them."""

    herald: Herald
    roles: tuple[Role, ...]


def notifications(
    settings: Notify, clock: Clock, local: Callable[[float], datetime]
) -> Notifications:
    """Wire them for these settings; what is not wished for costs nothing."""
    opener = Opener(open_blocking, clock)
    kinds = wanted(settings.level) if settings.desktop else wanted("none")
    crier = Crier(Desktop(opener.press), kinds, clock)
    unasked = opener.unasked if settings.open_report else _ignore
    roles = (
        Role("notifications", crier.run, vital=False, stage=3),
        Role("opening reports", opener.run, vital=False, stage=3),
    )
    return Notifications(Herald(crier.put, unasked, local, kinds), roles)


def _ignore(_url: str) -> None:
    """Leave the page to whoever wants to see it."""
