import stat
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.model import Stamp
from checkfirst.policy.settle import (
    OTHER_EXPIRES,
    STUCK_AFTER,
    Forget,
    Ready,
    Rules,
    Wait,
    begin,
    observe,
    refused,
    stuck,
)

DAY = 86_400.0
RULES = Rules(settle=2.0, longer=False, temporary_expires=7 * DAY)
FILE = Stamp(
    dev=1, ino=2, size=10, mtime_ns=5, ctime_ns=5, mode=stat.S_IFREG | 0o644, nlink=1, uid=1000
)
GROWN = FILE._replace(size=20, mtime_ns=6, ctime_ns=6)
EMPTY = FILE._replace(size=0)


def look(entry, now, *, seen=FILE, name=b"file.bin", partner=False, rules=RULES):
    return observe(entry, name, seen, partner, now, rules)


def follow(until, *, start=0.0, **look_at):
    """Look whenever a look is due; give the last step and how many looks it took."""
    step, looks = look(begin(start), start, **look_at), 1
    while isinstance(step, Wait) and step.due <= until:
        step, looks = look(step.entry, step.due, **look_at), looks + 1
    return step, looks


def test_a_file_is_ready_after_the_quiet_time_and_not_before():
    first = look(begin(100.0), 100.0)
    assert first == Wait(first.entry, 102.0)
    early = look(first.entry, 101.9)
    assert early == Wait(first.entry, 102.0)
    assert look(early.entry, 102.0) == Ready(first.entry)


def test_the_quiet_time_begins_at_the_first_look_not_at_the_hint():
    step = look(begin(100.0), 150.0)
    assert step.due == 152.0
    assert step.entry.first_seen == 100.0


@pytest.mark.parametrize(
    "change",
    [
        {"size": 11},
        {"mtime_ns": 6},
        {"ctime_ns": 6},
        {"ino": 3},
        {"mode": stat.S_IFREG | 0o600},
        {"nlink": 2},
    ],
)
def test_any_change_begins_anew(change):
    entry = look(begin(0.0), 0.0).entry
    step = look(entry, 2.0, seen=FILE._replace(**change))
    assert step == Wait(step.entry, 4.0)
    assert step.entry.quiet_since == 2.0


def test_a_change_forgets_refusals():
    entry = refused(look(begin(0.0), 0.0).entry, 2.0).entry
    assert entry.attempts == 1
    step = look(entry, 3.0, seen=GROWN)
    assert step.entry.attempts == 0
    assert step.entry.refused_since is None


def test_what_is_gone_or_no_file_is_forgotten():
    assert look(begin(0.0), 0.0, seen=None) == Forget("it is gone")
    for kind in (stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR):
        step = look(begin(0.0), 0.0, seen=FILE._replace(mode=kind | 0o644))
        assert step == Forget("it is not a regular file")


def test_what_the_user_ignores_is_forgotten_with_the_glob_as_reason():
    step = look(begin(0.0), 0.0, rules=replace(RULES, ignore=("*.bin",)))
    assert step == Forget("it matches *.bin of the setting intake.ignore")


def test_an_empty_file_is_left_alone_until_it_grows():
    step, looks = follow(10 * DAY, seen=EMPTY)
    assert isinstance(step, Wait)
    assert looks < 10 * DAY / 250
    grown = look(step.entry, step.due, seen=FILE)
    assert grown == Wait(grown.entry, step.due + 2.0)
    assert isinstance(look(grown.entry, grown.due), Ready)


def test_a_young_empty_file_is_looked_at_soon_again():
    first = look(begin(0.0), 0.0, seen=EMPTY)
    assert first.due == 2.0
    assert look(first.entry, 2.0, seen=EMPTY).due == 4.0


def test_postponed_files_are_never_due_at_once():
    step = look(begin(0.0), 0.0, seen=EMPTY, rules=replace(RULES, settle=0.0))
    assert step.due == 1.0


@pytest.mark.parametrize(
    ("name", "expires"),
    [(b"a.part", 7 * DAY), (b"a.crdownload", 7 * DAY), (b".a.exe.Ab12Cd", OTHER_EXPIRES)],
)
def test_a_temporary_name_postpones_and_then_counts_as_any(name, expires):
    before, looks = follow(expires - 0.1, name=name)
    assert before == Wait(before.entry, expires, postponed=True)
    assert looks < 20 + expires / 250
    assert look(before.entry, expires, name=name) == Ready(before.entry)


def test_a_temporary_name_is_excused_since_the_last_change():
    entry = look(begin(0.0), 0.0, name=b".a.exe.Ab12Cd").entry
    entry = look(entry, 500.0, seen=GROWN, name=b".a.exe.Ab12Cd").entry
    assert isinstance(look(entry, 1099.0, seen=GROWN, name=b".a.exe.Ab12Cd"), Wait)
    assert isinstance(look(entry, 1100.0, seen=GROWN, name=b".a.exe.Ab12Cd"), Ready)


def test_an_expired_name_still_has_to_be_quiet():
    rules = replace(RULES, temporary_expires=1.0)
    entry = look(begin(0.0), 0.0, name=b"a.part", rules=rules).entry
    assert look(entry, 1.5, name=b"a.part", rules=rules) == Wait(entry, 2.0)


def test_aria2s_control_file_postpones_while_it_is_there():
    step, _ = follow(10 * DAY, partner=True)
    assert isinstance(step, Wait)
    assert look(step.entry, step.due, partner=False) == Ready(step.entry)


def test_a_mark_that_is_a_file_lets_its_file_go_first_but_not_for_ever():
    name = b"a.exe:Zone.Identifier"
    step, _ = follow(OTHER_EXPIRES - 1, partner=True, name=name)
    assert isinstance(step, Wait)
    assert look(step.entry, step.due, name=name, partner=False) == Ready(step.entry)
    step, _ = follow(OTHER_EXPIRES + 1, partner=True, name=name)
    assert isinstance(step, Ready)


def test_without_leases_the_quiet_time_is_longer():
    assert Rules(settle=2.0, longer=True, temporary_expires=DAY).quiet == 10.0
    assert Rules(settle=30.0, longer=True, temporary_expires=DAY).quiet == 30.0
    step = look(begin(0.0), 0.0, rules=replace(RULES, longer=True))
    assert step.due == 10.0


def test_refusals_are_retried_at_growing_distances():
    entry, now, pauses = look(begin(0.0), 0.0).entry, 2.0, []
    for _ in range(8):
        step = refused(entry, now)
        pauses.append(step.due - now)
        entry, now = step.entry, step.due
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]
    assert entry.refused_since == 2.0
    assert isinstance(look(entry, now), Ready)


def test_ten_minutes_of_refusals_are_a_problem():
    entry = look(begin(0.0), 0.0).entry
    assert not stuck(entry, 1e9)
    entry = refused(entry, 50.0).entry
    entry = refused(entry, 60.0).entry
    assert not stuck(entry, 50.0 + STUCK_AFTER - 0.1)
    assert stuck(entry, 50.0 + STUCK_AFTER)


def test_entries_are_frozen_and_small():
    entry = begin(0.0)
    assert not hasattr(entry, "__dict__")
    with pytest.raises(AttributeError):
        entry.quiet_since = 1.0


@given(
    st.lists(st.floats(0.01, 1e5), min_size=1, max_size=30),
    st.floats(0.1, 100.0),
    st.booleans(),
    st.sampled_from([b"a.bin", b"a.part", b".a.b.123456", b"a:Zone.Identifier"]),
)
def test_a_file_that_keeps_changing_is_never_ready(pauses, settle, longer, name):
    rules = Rules(settle=settle, longer=longer, temporary_expires=DAY)
    now, entry = 0.0, begin(0.0)
    for number, pause in enumerate(pauses):
        step = observe(entry, name, FILE._replace(mtime_ns=number), False, now, rules)
        assert isinstance(step, Wait)
        entry, now = step.entry, now + pause


@given(
    st.floats(0.0, 1e9),
    st.floats(0.0, 1e4),
    st.lists(st.sampled_from([FILE, GROWN, EMPTY]), min_size=1, max_size=20),
    st.sampled_from([b"a.bin", b"a.part", b".a.b.123456", b"a:Zone.Identifier"]),
    st.booleans(),
)
def test_a_wait_always_ends_later_than_now(start, settle, stamps, name, partner):
    rules = Rules(settle=settle, longer=False, temporary_expires=DAY)
    now, entry = start, begin(start)
    for stamp in stamps:
        step = observe(entry, name, stamp, partner, now, rules)
        if isinstance(step, Ready):
            break
        assert step.due > now
        entry, now = step.entry, step.due


@given(st.floats(0.0, 1e9), st.floats(0.001, 1e4))
def test_an_unchanged_file_is_ready_at_the_second_look(start, settle):
    rules = Rules(settle=settle, longer=False, temporary_expires=DAY)
    step, looks = follow(start + 2 * settle, start=start, rules=rules)
    assert isinstance(step, Ready)
    assert looks <= 2
