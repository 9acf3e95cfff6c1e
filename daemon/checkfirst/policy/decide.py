"""The main table: what is done with a file, given what is known of it and the mode.

There is no way here from `pending` to a release: no answer is never taken for a good answer.
"""

from typing import assert_never

from checkfirst.model import Action, Decision, Mode, Verdict, VerdictKind


def decide(verdict: Verdict, mode: Mode) -> Decision:
    """Give the action, with the verdict's reason and, for unknown files, the mode's part in it."""
    match verdict.kind:
        case VerdictKind.MALICIOUS:
            return Decision(Action.QUARANTINE, verdict.reason)
        case VerdictKind.CLEAN:
            return Decision(Action.RELEASE, verdict.reason)
        case VerdictKind.UNKNOWN:
            return _decide_unknown(verdict.reason, mode)
        case VerdictKind.PENDING:
            return Decision(Action.WAIT, verdict.reason)
        case _:  # pragma: no cover
            assert_never(verdict.kind)


def _decide_unknown(reason: str, mode: Mode) -> Decision:
    match mode:
        case Mode.NORMAL:
            return Decision(Action.RELEASE, f"unknown: {reason}; mode normal lets it through")
        case Mode.STOP_UNKNOWNS:
            return Decision(Action.QUARANTINE, f"unknown: {reason}; mode stop-unknowns stops it")
        case _:  # pragma: no cover
            assert_never(mode)
