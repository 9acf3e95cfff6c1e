"""The daemon: whether it runs, and what it says of itself."""

from checkfirst.model import FolderHealth, SourceHealth
from checkfirst.policy.names import escape, show
from checkfirst.service.doctor.finding import Finding, note, ok, problem
from checkfirst.service.status import Snapshot


def judge_daemon(pid: int | None, snapshot: Snapshot | None) -> list[Finding]:
    """`pid` is what the lock says; a snapshot of another process is of a daemon that is no more."""
    if pid is None:
        return [note("checkfirst is not running; nothing is watched", "Start it: checkfirst run")]
    if snapshot is None or pid not in (0, snapshot.pid):
        return [note(f"checkfirst is just starting (process {pid})", "Look again in a moment.")]
    found = [
        *(problem(escape(text)) for text in snapshot.problems),
        *_folders(snapshot.watching),
        *_sources(snapshot.sources),
    ]
    return found or [ok(f"checkfirst is running (process {snapshot.pid}, mode {snapshot.mode})")]


def _folders(watching: tuple[FolderHealth, ...]) -> list[Finding]:
    found = []
    for folder in watching:
        about = show(folder.path)
        if not folder.healthy:
            text = escape(folder.problem or "The daemon cannot watch this folder now")
            found.append(problem(text, "", "" if about in text else about))
        if folder.folders_not_looked_into:
            title = f"{folder.folders_not_looked_into} folders in it are not looked into"
            found.append(note(title, "They are unreadable, or too deep.", about))
    return found


def _sources(sources: tuple[SourceHealth, ...]) -> list[Finding]:
    return [
        problem(escape(source.problem or f"{source.name} is not well"))
        for source in sources
        if not source.healthy
    ]
