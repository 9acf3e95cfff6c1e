"""All checks at once, each in a thread of its own and within its time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from checkfirst.errors import CheckfirstError
from checkfirst.patience import Pending
from checkfirst.policy.names import escape
from checkfirst.service.doctor.finding import Finding, note, problem

SECONDS = 5.0
"""For a look at files; who takes longer is hung."""


@dataclass(frozen=True, slots=True)
class Check:
    """One look."""

    name: str
    look_blocking: Callable[[], list[Finding]]
    about: str = ""
    """What it looks at, when it does not come back to tell."""
    seconds: float = SECONDS


def rounds_blocking(checks: list[Check]) -> Iterator[tuple[str, list[Finding]]]:
    """All at once; what they find comes in their order. Whatever happens in one stays in it."""
    under_way = [(check, Pending(check.look_blocking, check.name)) for check in checks]
    for check, pending in under_way:
        try:
            found = pending.result_blocking(check.seconds)
        except TimeoutError:
            found = [_hung(check)]
        except CheckfirstError as error:
            found = [problem(escape(error.title), escape(error.to_do), escape(error.about))]
        except Exception as error:  # noqa: BLE001  (a check that fails must not hide the others)
            title = f"This look went wrong ({type(error).__name__}: {escape(str(error))})"
            found = [problem(title, "Report it, please.", check.about)]
        yield check.name, found


def _hung(check: Check) -> Finding:
    """What hangs is told once, by the look at the folder; the others were only held up by it."""
    if check.name != "folders":
        return note(f"This look is not done after {check.seconds:g} seconds", "", check.about)
    title = f"The folder does not answer within {check.seconds:g} seconds"
    return problem(title, "If it is a network mount: unmount it, or mend it.", check.about)
