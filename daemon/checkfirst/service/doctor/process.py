"""The daemon: whether it runs, and what it says of itself."""

from checkfirst.model import FolderHealth, SourceHealth
from checkfirst.policy.names import escape, show
from checkfirst.service.doctor.finding import Finding, Level, note, ok, problem
from checkfirst.service.status import Snapshot
from checkfirst.watch.telling import left_out, not_entered


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
    if all(each.level is not Level.PROBLEM for each in found):
        running = f"checkfirst is running (process {snapshot.pid}, mode {snapshot.mode})"
        return [ok(running), *found]
    return found


def _folders(watching: tuple[FolderHealth, ...]) -> list[Finding]:
    found = []
    for folder in watching:
        about = show(folder.path)
        if not folder.healthy:
            text = escape(folder.problem or "The daemon cannot watch this folder now")
            found.append(problem(text, "", "" if about in text else about))
        if number := folder.folders_not_looked_into:
            found.append(note(not_entered(number), "Look at their owners and modes.", about))
        if number := folder.folders_left_out:
            to_do = "With `intake.recursive: true` in the settings, what is moved or unpacked there"
            found.append(note(left_out(number), f"{to_do} is judged as well.", about))
    return found


def _sources(sources: tuple[SourceHealth, ...]) -> list[Finding]:
    return [
        problem(escape(source.problem or f"{source.name} is not well"))
        for source in sources
        if not source.healthy
    ]
