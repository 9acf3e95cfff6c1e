"""Every task has a parent, a name, and somebody who notices when it fails.

A role that fails is started again after a growing pause. A vital role that keeps failing ends
the daemon with its reason; an optional one leaves it degraded with the reason in `problems`, and
so does a vital one that fails for want of something outside us, such as room on the disk.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from checkfirst.clock import Clock
from checkfirst.errors import CheckfirstError, HandsLostError, Problem
from checkfirst.policy.retry import backoff
from checkfirst.service.reminders import Reminders
from checkfirst.store.problem import PassingStoreError

_log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
FAILURES_THAT_END = 5
"""So many failures of a vital role within `WINDOW_SECONDS` end the daemon."""
WINDOW_SECONDS = 120.0

_PASSING = (PassingStoreError, HandsLostError)
"""What comes from something outside a role."""


class VitalRoleFailedError(Problem):
    """A role that the promises depend on keeps failing."""


@dataclass(frozen=True, slots=True)
class Role:
    """One long-running duty of the daemon."""

    name: str
    run: Callable[[], Awaitable[None]]
    """Runs until it is cancelled; coming back counts as a failure."""
    vital: bool = True
    stage: int = 0
    """On stopping they are cancelled in this order: first what takes in work, then what ends it."""


class Supervisor:
    """Runs roles side by side until it is told to stop or a vital one is beyond help."""

    def __init__(self, clock: Clock, on_failure: Callable[[str, str], None]) -> None:
        """`on_failure(role, reason)` is called to tell the person; seldom of what goes on."""
        self._clock = clock
        self._on_failure = on_failure
        self._reminders = Reminders(clock)
        self.problems: dict[str, str] = {}
        """Role to reason, for roles that are not running well now."""

    async def run(
        self, roles: Sequence[Role], stop: asyncio.Event, *, stop_within: float = 8.0
    ) -> None:
        """Run `roles` until `stop` is set, then cancel them stage by stage.

        All stages are told to end within `stop_within` seconds, whether or not those before have;
        comes back when the last role has ended. Raises VitalRoleFailedError when a vital role
        fails again and again.
        """
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {
                    role: group.create_task(self._keep(role), name=role.name) for role in roles
                }
                await stop.wait()
                stages = sorted({role.stage for role in roles})
                for stage in stages:
                    staged = [task for role, task in tasks.items() if role.stage == stage]
                    for task in staged:
                        task.cancel()
                    await asyncio.wait(staged, timeout=stop_within / len(stages))
        except* VitalRoleFailedError as failed:
            raise failed.exceptions[0] from None

    async def _keep(self, role: Role) -> None:
        failures: list[float] = []
        counted: list[float] = []
        """Those that are the role's own."""
        while True:
            started = self._clock.monotonic()
            try:
                await role.run()
                reason, is_passing = "it ended by itself", False
            except Exception as error:  # noqa: BLE001  (the parent of a role meets whatever ends it)
                reason, is_passing = _words(error), isinstance(error, _PASSING)
                _log.debug("the role %s failed", role.name, exc_info=error)
            now = self._clock.monotonic()
            failures = [at for at in failures if now - at < WINDOW_SECONDS] + [now]
            counted = [at for at in counted if now - at < WINDOW_SECONDS]
            counted += [] if is_passing else [now]
            self.problems[role.name] = reason
            # For want of something outside them many roles fail alike, and for hours.
            trouble = reason if is_passing else f"{role.name}: {reason}"
            if (lasting := self._reminders.met(trouble)) is not None:
                self._on_failure(role.name, reason + lasting)
            if role.vital and len(counted) >= FAILURES_THAT_END:
                raise VitalRoleFailedError(
                    f"The part `{role.name}` keeps failing",
                    "Nothing is released while it does not run. Held files stay where they are.",
                    about=reason,
                )
            pause = backoff(len(failures) - 1, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, 0.5)
            await self._clock.sleep(pause)
            if now - started > WINDOW_SECONDS:
                failures.clear()
            self.problems.pop(role.name, None)


def _words(error: Exception) -> str:
    if isinstance(error, CheckfirstError):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
