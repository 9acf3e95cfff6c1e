"""What `checkfirst allow|block add` and `remove` do, and what they tell.

The database is written, beside a running daemon or without one; the daemon notices within a second
or two, for files that wait as well.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from checkfirst.cli import output
from checkfirst.cli.named_hashes import Named, named_blocking
from checkfirst.cli.options import Options, database_of
from checkfirst.cli.own_lists import OwnLists
from checkfirst.clock import SystemClock
from checkfirst.errors import Problem
from checkfirst.model import Arrival, State
from checkfirst.policy import hashes
from checkfirst.policy.hashes import Kind
from checkfirst.policy.names import show
from checkfirst.service.lock import running_pid
from checkfirst.store.database import Database
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists
from checkfirst.store.reading import Reading

T = TypeVar("T")

_MISUSED, _NOT_DONE = 2, 3
_SHORTEST_PREFIX = 6
_HEX = frozenset("0123456789abcdef")
_MOST_FILES = 10
_HELD = frozenset({State.HELD, State.WAITING})
_OUT = frozenset({State.RELEASED, State.RESTORED})
_STOPPED = frozenset({State.QUARANTINED})
_CONCERNED = {ListName.ALLOW: _HELD | _STOPPED, ListName.BLOCK: _HELD | _OUT}
"""Files that are here already and for which an entry on the list changes something."""
_EFFECT = {ListName.ALLOW: "always released", ListName.BLOCK: "never released"}


def add(
    options: Options, name: ListName, words: Sequence[str], note: str, seconds: float | None
) -> int:
    """Put what the words mean on the list, all or nothing; the exit code."""
    glance = options.glance()
    now = SystemClock().now()
    until = None if seconds is None else now + seconds
    with Reading(database_of(glance.state)) as reading:
        lists = OwnLists(glance, reading, now)
        found, problems = _named(lists, name, words)
        if name is ListName.ALLOW:
            problems += [problem for each in found if (problem := _blocked(lists, each))]
        if problems:
            return _refuse(problems, _MISUSED)
        before = [lists.entry([each.hash]) for each in found]
        entries = [
            _entry(each, name, old, note, now, until)
            for each, old in zip(found, before, strict=True)
        ]
        _write(glance.state, lambda kept: kept.add(*entries))
        is_running = running_pid(Path(glance.state)) is not None
        for each, old in zip(found, before, strict=True):
            _tell_added(lists, name, each, old, until)
            if hashes.kind(each.hash) is not Kind.SHA256:
                output.line(f"  {_of_weak(glance.recheck_for, is_running=is_running)}")
            _tell_files(
                lists.files(each.hash, _CONCERNED[name]),
                since=now - glance.recheck_for,
                watched=glance.watch[0],
                is_running=is_running,
            )
    return 0


def remove(options: Options, name: ListName, words: Sequence[str]) -> int:
    """Take what the words mean off the list, as far as it is on it; the exit code."""
    glance = options.glance()
    with Reading(database_of(glance.state)) as reading:
        lists = OwnLists(glance, reading, SystemClock().now())
        kept = {each.hash: each for each in lists.kept(name)}
        gone: dict[str, Listed] = {}
        problems = []
        for word in words:
            try:
                entry = _meant(lists, name, kept, word)
            except Problem as problem:
                problems.append(problem)
            else:
                gone[entry.hash] = entry
        if gone:
            _write(glance.state, lambda kept_: kept_.remove(name, list(gone)))
        for entry in gone.values():
            about = f" ({entry.note})" if entry.note else ""
            output.line(f"No longer on your {name.value} list: {entry.hash}{about}")
            if place := lists.place_blocking(name, [entry.hash]):
                output.line(f"  The settings go on listing it: {place}")
    return _refuse(problems, _NOT_DONE) if problems else 0


def _named(
    lists: OwnLists, name: ListName, words: Sequence[str]
) -> tuple[list[Named], list[Problem]]:
    kinds = lists.weak_kinds_blocking() if name is ListName.ALLOW else ()
    found: dict[str, Named] = {}
    problems = []
    for word in words:
        try:
            named = named_blocking(word, kinds, lists.known, may_be_weak=name is ListName.BLOCK)
        except Problem as problem:
            problems.append(problem)
            continue
        for one in named:
            found.setdefault(one.hash, one)
            if not one.name and os.path.isfile(word):  # noqa: PTH113  (a question, never an error)
                output.note(f"This is taken for a hash; the file of that name is ./{word}")
    return list(found.values()), problems


def _blocked(lists: OwnLists, named: Named) -> Problem | None:
    entry = lists.entry(named.hashes)
    if entry is not None and entry.list is ListName.BLOCK:
        advice = f"Take it off that list first: checkfirst block remove {entry.hash}"
        return Problem("It is on your block list, which wins", advice, about=named.shown)
    place = lists.place_blocking(ListName.BLOCK, named.hashes)
    if place is not None:
        advice = f"Take it out there first: {place}"
        return Problem("Your settings block it, and a block wins", advice, about=named.shown)
    return None


def _entry(
    named: Named, name: ListName, before: Listed | None, note: str, now: float, until: float | None
) -> Listed:
    """What a restore or a release has put there keeps its weight when it is added once more."""
    if before is not None and before.list is name:
        return before._replace(note=note or before.note, expires_at=until)
    return Listed(named.hash, name, ListedBy.USER, now, note or named.name, until)


def _meant(lists: OwnLists, name: ListName, kept: dict[str, Listed], word: str) -> Listed:
    """The entry of the database that a word means; Problem when there is none, or several."""
    lower = word.lower()
    if lower in kept:
        return kept[lower]
    is_prefix = len(word) >= _SHORTEST_PREFIX and _HEX.issuperset(lower)
    if is_prefix and (found := [each for each in kept if each.startswith(lower)]):
        if len(found) == 1:
            return kept[found[0]]
        raise Problem(f"{len(found)} entries begin so", "Give more digits.", about=word)
    meant = named_blocking(word, lists.weak_kinds_blocking(), lists.known, may_be_weak=True)
    if len(meant) > 1:
        raise Problem(f"{len(meant)} files are meant by that", "Name one by its id.", about=word)
    named = meant[0]
    if found := [each for each in named.hashes if each in kept]:
        return kept[found[0]]
    if place := lists.place_blocking(name, named.hashes):
        raise Problem(
            "It stands in your settings", f"Take it out there: {place}", about=named.shown
        )
    other = ListName.BLOCK if name is ListName.ALLOW else ListName.ALLOW
    entry = lists.entry(named.hashes)
    advice = (
        f"It is on the other one: checkfirst {other.value} remove {named.hash}" if entry else ""
    )
    raise Problem(f"It is not on your {name.value} list", advice, about=named.shown)


def _tell_added(
    lists: OwnLists, name: ListName, named: Named, before: Listed | None, until: float | None
) -> None:
    end = f"until {output.local(until)}" if until is not None else "from now on"
    output.line(f"{_EFFECT[name][:1].upper()}{_EFFECT[name][1:]} {end}: {named.shown}")
    if before is not None:
        since = output.local(before.added_at)
        if before.list is name:
            output.line(f"  It was on the list already, since {since}.")
        else:
            output.line(f"  It is off your {before.list.value} list, where it was since {since}.")
    if name is ListName.BLOCK and (place := lists.place_blocking(ListName.ALLOW, named.hashes)):
        output.line(f"  Your settings allow it ({place}); the block wins.")


def _of_weak(recheck_for: float, *, is_running: bool) -> str:
    """What is known of files that came before, by a hash that the journal does not keep."""
    if not recheck_for:
        return "Whether such a file came before is not known: history keeps SHA-256."
    when = "now" if is_running else "when checkfirst runs"
    return f"History keeps SHA-256, so what was released of late is read for it {when}."


def _tell_files(rows: Sequence[Arrival], *, since: float, watched: str, is_running: bool) -> None:
    """Files with the same bytes that are here already, as far as the list changes something.

    What was decided after `since` is taken back by the daemon; what is put into the folder
    `watched` is judged anew, while `take` leaves alone what lies in the released folder.
    """
    for row in rows[:_MOST_FILES]:
        shown, number = show(row.name), row.id
        if row.state in _HELD:
            when = "is decided now" if is_running else "is decided when checkfirst runs"
            output.line(f"  {shown} (number {number}) is held and {when}.")
        elif row.state in _STOPPED:
            output.line(f"  {shown} lies in the quarantine. To have it back:")
            output.line(f"    checkfirst quarantine restore {number}")
        elif row.destination is not None:
            is_there = os.path.lexists(row.destination)
            there = "and lies there still" if is_there else "and is gone"
            when = output.local(row.finished_at) or "earlier"
            where = show(row.destination)
            output.line(f"  It was released {when} as {where} {there} (number {number}).")
            if not is_there:
                continue
            if (row.decided_at or 0.0) > since:
                then = "now" if is_running else "when checkfirst runs"
                output.line(f"    It is taken into the quarantine {then}.")
            else:
                folder = show(os.fsencode(watched))
                output.line(f"    To have it in the quarantine, move it into {folder}.")
    if len(rows) > _MOST_FILES:
        output.line(f"  and {len(rows) - _MOST_FILES} more files: checkfirst why {rows[0].sha256}")


def _write(state: str, work: Callable[[Lists], Coroutine[Any, Any, T]]) -> T:
    async def run() -> T:
        clock = SystemClock()
        database = await Database.open(database_of(state), clock)
        try:
            return await work(Lists(database, clock))
        finally:
            await database.close()

    return asyncio.run(run())


def _refuse(problems: Sequence[Problem], code: int) -> int:
    for problem in problems:
        output.problem(problem)
    return code
