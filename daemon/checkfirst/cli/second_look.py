"""What `status` and `why` say of the second look."""

from checkfirst.cli import output
from checkfirst.store.second_looks import Looks


def summary(looks: Looks, now: float) -> str:
    """Of all files; empty when there is none."""
    if not looks.number:
        return ""
    files = "1 file is" if looks.number == 1 else f"{looks.number} files are"
    return f"{files} asked about again, the next {_when(looks.next_at, now)}"


def story(looks: Looks, now: float) -> str:
    """Of one file."""
    before = f"It was called {looks.said} before." if looks.said else ""
    if looks.last_at is not None:
        last = output.local(looks.last_at)
        before = f"VirusTotal was asked again at {last} and called it {looks.said}."
    if looks.next_at is None:
        return f"{before} It is not asked about again."
    return f"{before} It is asked about again {_when(looks.next_at, now)}."


def _when(at: float | None, now: float) -> str:
    """One that is due waits for requests that nobody else needs."""
    return (
        f"at {output.local(at)}" if at is None or at > now else "as soon as requests can be spared"
    )
