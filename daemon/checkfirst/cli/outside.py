"""Where a person may have files put: not where the daemon would take them again."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from checkfirst.errors import Problem
from checkfirst.policy.names import show

if TYPE_CHECKING:
    from checkfirst.settings.schema import Settings


def outside(folder: Path, settings: "Settings", what: str) -> Path:
    """The folder with links followed; `what` completes "A file cannot be …".

    Raises Problem for a watched folder and for checkfirst's own; the released one is fine.
    """
    real = Path(os.path.realpath(folder))
    watched = {os.path.realpath(path) for path in settings.watch}
    within = [real, *(real.parents if settings.intake.recursive else [])]
    own = {os.path.realpath(settings.released)}
    if str(real) not in own and any(str(each) in watched for each in within):
        raise Problem(
            f"A file cannot be {what} a watched folder",
            "It would be taken again. Choose another folder with --to.",
            about=show(os.fsencode(folder)),
        )
    private = [Path(os.path.realpath(each)) for each in (settings.quarantine, settings.state)]
    if any(real.is_relative_to(each) for each in private):
        raise Problem(
            f"A file cannot be {what} checkfirst's own folders",
            "Choose another folder with --to.",
            about=show(os.fsencode(folder)),
        )
    return real
