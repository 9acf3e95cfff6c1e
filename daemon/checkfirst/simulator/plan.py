"""Which requests go wrong, and how: rules in a row, the first that fits is used.

Knows the shape of a fault but none of them; see `faults` for those.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from checkfirst.simulator.clock import Clock

Answer = Callable[[], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a fault gets to work with."""

    request: web.Request
    key: str | None
    clock: Clock
    answer: Answer
    """Makes the reply that would have been given (key, quota and route included)."""


Fault = Callable[[Exchange], Awaitable[web.StreamResponse | None]]
"""Gives the reply, perhaps a spoilt one, or None when the connection is gone."""


@dataclass(slots=True)
class Rule:
    """One programmed fault."""

    fault: Fault
    left: int | None
    """How many more requests it spoils; None is no end."""
    path: str
    method: str | None
    skip: int
    """How many fitting requests pass before the first one is spoilt."""
    chance: float

    def fits(self, method: str, path: str) -> bool:
        """Whether the rule speaks of such requests at all."""
        return (
            self.left != 0
            and path.startswith((self.path, f"/api/v3{self.path}"))
            and self.method in (None, method)
        )


class Plan:
    """The programmed faults of one server."""

    def __init__(self, seed: int = 0) -> None:
        """Equal seeds make equal choices for rules with a chance."""
        self._rules: list[Rule] = []
        self._random = random.Random(seed)  # noqa: S311  (repeatable, not secret)

    def next(
        self,
        fault: Fault,
        times: int = 1,
        *,
        path: str = "",
        method: str | None = None,
        skip: int = 0,
    ) -> Rule:
        """Spoil the next `times` requests whose path (with or without `/api/v3`) begins so."""
        return self._add(Rule(fault, times, path, method, skip, 1.0))

    def always(
        self, fault: Fault, *, path: str = "", method: str | None = None, chance: float = 1.0
    ) -> Rule:
        """Spoil every such request, or each with this chance, until removed."""
        return self._add(Rule(fault, None, path, method, 0, chance))

    def remove(self, rule: Rule) -> None:
        """Undo one rule."""
        self._rules.remove(rule)

    def clear(self) -> None:
        """All is well again."""
        self._rules.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this request, used up by one."""
        for rule in self._rules:
            if not rule.fits(method, path):
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            if self._random.random() >= rule.chance:
                continue
            if rule.left is not None:
                rule.left -= 1
            return rule.fault
        return None

    def _add(self, rule: Rule) -> Rule:
        self._rules.append(rule)
        return rule
