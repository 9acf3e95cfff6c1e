import asyncio
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkfirst.model import Arrival, Risk, Stamp, State, VerdictKind
from checkfirst.store import row
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists
from checkfirst.store.step import Facts, NewArrival, Step
from tests.fakes.clock import FakeClock

HOLDING = frozenset({State.HOLDING})
HASH = "ab" * 32


@pytest.fixture
def journal(database):
    return Journal(database, "1:1")


@pytest.fixture
def other(database):
    return Journal(database, "2:2")


def stamp(ino=7, mtime_ns=5, dev=1):
    return Stamp(dev, ino, 4096, mtime_ns, 6, 0o100640, 1, 1000)


def intent(name=b"a.bin", **more):
    given = {"root": b"/w", "origin": b"/w/" + name, "held": b"/h/1/" + name, "stamp": stamp()}
    return NewArrival(**{**given, "arrived_at": 10.0, **more})


async def counted(database):
    found = await database.rows("SELECT state, count(*) FROM arrivals GROUP BY state")
    return {State(state): rows for state, rows in found}


async def test_intents_get_ids_in_their_order_and_are_ours(journal, other, database):
    ids = await journal.begin([intent(b"%d" % n) for n in range(300)])
    assert ids == list(range(1, 301))
    rows = await journal.open_rows()
    assert [each.name for each in rows] == [b"%d" % n for n in range(300)]
    assert await other.claim(ids) == []
    assert await journal.counts() == await counted(database) == {State.HOLDING: 300}


async def test_nothing_to_do_is_no_error(journal):
    assert await journal.begin([]) == []
    assert await journal.advance([]) == set()
    assert await journal.claim([]) == []
    assert await journal.adopt([]) == []
    assert await journal.waiting_for([]) == []


async def test_what_was_learned_comes_back_as_it_was(journal):
    facts = Facts(
        held=b"/h/2/\xff\n",
        dev=2**64 - 1,
        ino=2**64 - 2,
        mtime_ns=253_402_300_800 * 10**9,
        size=0,
        mode=0o755,
        sha256=HASH,
        content_type="application/x-elf",
        risk=Risk.PROGRAM,
        verdict=VerdictKind.MALICIOUS,
        source="virustotal",
        reason="62 of 64",
        detections=62,
        engines=64,
        report_url="https://example.org",
        threats=("A: x", "B: \ud800"),
        destination=b"/q/\xfe",
        held_at=1.5,
        asked_at=2.5,
        decided_at=3.5,
        finished_at=4.5,
        until=5.5,
        submitted_at=6.5,
        origin=b"/w/\xc3(\n.exe",
        root=b"/w\xff",
    )
    (number,) = await journal.begin([intent()])
    assert await journal.advance([Step(number, HOLDING, State.HELD, facts)]) == {number}
    expected = Arrival(id=number, state=State.HELD, arrived_at=10.0, **facts)
    assert await journal.get(number) == expected


async def test_none_clears_a_fact_and_a_missing_key_keeps_it(journal):
    (number,) = await journal.begin([intent()])
    await journal.advance([Step(number, HOLDING, State.WAITING, Facts(until=9.0, sha256=HASH))])
    await journal.advance([Step(number, frozenset({State.WAITING}), State.HELD, Facts(until=None))])
    found = await journal.get(number)
    assert (found.until, found.sha256) == (None, HASH)


async def test_text_that_has_no_utf8_is_kept_escaped(journal):
    (number,) = await journal.begin([intent()])
    await journal.advance([Step(number, HOLDING, State.HELD, Facts(reason="a\udcff", source="é"))])
    found = await journal.get(number)
    assert (found.reason, found.source) == ("a\\udcff", "é")


async def test_the_printable_name_follows_the_origin(journal, database):
    (number,) = await journal.begin([intent(b"\xff\x1b[2J.exe")])
    assert await database.rows("SELECT name FROM arrivals") == [("\\xff\\x1b[2J.exe",)]
    await journal.advance([Step(number, HOLDING, State.HELD, Facts(origin=b"/w/b.exe"))])
    assert await database.rows("SELECT name FROM arrivals") == [("b.exe",)]


async def test_a_file_that_was_left_is_nobodys_and_open(journal, other):
    left = intent(state=State.LEFT, held=None, stamp=None, reason="busy")
    (number,) = await journal.begin([left])
    (found,) = await other.claim([number])
    assert (found.state, found.reason, found.ino) == (State.LEFT, "busy", None)


async def test_of_two_who_take_one_step_one_does(journal, other):
    (number,) = await journal.begin([intent()])
    await journal.advance([Step(number, HOLDING, State.HELD)])
    step = Step(number, frozenset({State.HELD}), State.RELEASING, keep=True)
    assert await journal.advance([step]) == {number}
    assert await other.advance([step]) == set()
    done = Step(number, frozenset({State.RELEASING}), State.RELEASED)
    assert await other.advance([done]) == set()
    assert await journal.advance([done]) == {number}


async def test_a_step_that_does_not_take_does_not_stop_the_others(journal, other):
    mine = await journal.begin([intent(b"1"), intent(b"2")])
    theirs = await other.begin([intent(b"3")])
    steps = [Step(n, HOLDING, State.GONE) for n in (*mine, *theirs, 99)]
    assert await journal.advance(steps) == set(mine)
    assert (await journal.get(theirs[0])).state is State.HOLDING


async def test_two_steps_for_one_row_in_one_call_are_a_mistake(journal):
    (number,) = await journal.begin([intent()])
    with pytest.raises(ValueError, match="two steps"):
        await journal.advance([Step(number, HOLDING, State.HELD)] * 2)


async def test_no_claim_outlives_the_work(journal, database):
    (number,) = await journal.begin([intent()])
    await journal.advance([Step(number, HOLDING, State.RELEASED, keep=True)])
    assert await database.rows("SELECT claim FROM arrivals") == [(None,)]


async def test_a_quarantined_row_can_be_taken_up_again_by_whoever_comes_first(journal, other):
    (number,) = await journal.begin([intent()])
    await journal.advance([Step(number, HOLDING, State.QUARANTINED)])
    restore = Step(number, frozenset({State.QUARANTINED}), State.RESTORING, keep=True)
    assert await other.advance([restore]) == {number}
    assert await journal.advance([restore]) == set()
    assert [each.id for each in await journal.open_rows()] == [number]


async def test_a_claim_is_taken_once_and_given_back_by_its_owner_alone(journal, other):
    ids = await journal.begin([intent(b"1"), intent(b"2")])
    await other.unclaim(ids)
    assert await other.claim(ids) == []
    await journal.unclaim(ids)
    assert [each.id for each in await other.claim([*ids, 77])] == ids
    assert await journal.claim(ids) == []


async def test_ended_rows_are_not_claimed(journal):
    (number,) = await journal.begin([intent()])
    await journal.advance([Step(number, HOLDING, State.RELEASED)])
    assert await journal.claim([number]) == []


async def test_the_dead_let_go_and_the_living_do_not(journal, other):
    mine = await journal.begin([intent(b"1"), intent(b"2")])
    await other.begin([intent(b"3")])
    assert await other.release_dead_claims(lambda process: process == "2:2") == mine
    assert await other.release_dead_claims(lambda process: process == "2:2") == []
    assert [each.id for each in await other.claim([1, 2, 3])] == mine


async def test_where_files_of_a_hash_were_given_out_is_known(journal):
    ids = await journal.begin([intent(b"%d" % n) for n in range(4)])
    ends = [State.RELEASED, State.RESTORED, State.QUARANTINED, State.RELEASED]
    await journal.advance(
        [
            Step(number, HOLDING, state, Facts(sha256=HASH, destination=b"/out/%d" % number))
            for number, state in zip(ids, ends, strict=True)
        ]
    )
    await journal.advance(
        [Step(ids[3], frozenset({State.RELEASED}), State.RELEASED, Facts(sha256="cd" * 32))]
    )
    assert await journal.given_out([HASH]) == {b"/out/1", b"/out/2"}
    assert await journal.given_out([]) == set()


async def test_those_who_wait_for_a_hash_are_found(journal):
    ids = await journal.begin([intent(b"%d" % n) for n in range(5)])
    after = [State.HELD, State.WAITING, State.RELEASED, State.WAITING, State.GONE]
    hashes = [HASH, HASH, HASH, "cd" * 32, HASH]
    await journal.advance(
        [
            Step(number, HOLDING, state, Facts(sha256=sha256))
            for number, state, sha256 in zip(ids, after, hashes, strict=True)
        ]
    )
    assert [each.id for each in await journal.waiting_for([HASH, "ef" * 32])] == ids[:2]


async def test_a_list_of_any_length_is_no_matter(journal):
    ids = await journal.begin([intent() for _ in range(40_000)])
    await journal.unclaim(ids)
    assert len(await journal.claim(ids)) == 40_000


async def test_what_is_adopted_keeps_its_id_while_that_is_free(journal, database):
    await journal.begin([intent()])
    lost = Arrival(id=0, state=State.HELD, root=b"", origin=b"/w/x", held=b"/h/x", threats=("t",))
    ids = await journal.adopt([lost._replace(id=1), lost._replace(id=9), lost, lost])
    assert ids == [10, 9, 11, 12]
    assert await journal.get(9) == lost._replace(id=9)
    assert await journal.begin([intent()]) == [13]
    assert await journal.counts() == await counted(database)
    assert len(await journal.claim([9, 10])) == 2


async def test_pruning_forgets_old_ends_and_never_what_is_kept(journal, database):
    ends = [*State]
    ids = await journal.begin([intent() for _ in ends])
    await journal.begin([intent()._replace(arrived_at=100.0)])
    await journal.advance(
        [Step(number, HOLDING, state) for number, state in zip(ids, ends, strict=True)]
    )
    assert await journal.prune(50.0, at_most=3) == 3
    assert await journal.prune(50.0) == 1
    assert await journal.prune(50.0) == 0
    rest = await counted(database)
    assert await journal.counts() == rest
    assert not rest.keys() & {State.RELEASED, State.RESTORED, State.DELETED, State.GONE}
    assert sum(rest.values()) == len(ends) - 3


async def test_ids_are_not_given_twice(journal):
    (number,) = await journal.begin([intent()])
    await journal.advance([Step(number, HOLDING, State.GONE)])
    await journal.prune(50.0)
    assert await journal.begin([intent()]) == [number + 1]


async def test_the_journal_is_found_again_after_a_crash(journal, path, clock):
    """Nothing was closed: what `begin` returned is in the file, as another opener sees."""
    (number,) = await journal.begin([intent(os.fsencode("ü\udcff"))])
    again = await Database.open(path, clock)
    found = await Journal(again, "3:3").get(number)
    await again.close()
    assert found.origin == b"/w/\xc3\xbc\xff"


BATCHES = st.lists(
    st.lists(
        st.tuples(
            st.integers(1, 6),
            st.frozensets(st.sampled_from(State)),
            st.sampled_from(State),
            st.booleans(),
            st.sampled_from([Facts(), Facts(until=1.0), Facts(sha256=HASH, reason="r")]),
        ),
        max_size=6,
        unique_by=lambda step: step[0],
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(BATCHES)
def test_a_step_takes_exactly_when_state_and_claim_allow(batches):
    """Two processes take turns; a dict of (state, claim) says what must come of it."""

    async def story(path):
        database = await Database.open(path, FakeClock())
        names = ["1:1", "2:2"]
        journals = [Journal(database, name) for name in names]
        await journals[0].begin([intent() for _ in range(5)])
        model = dict.fromkeys(range(1, 6), (State.HOLDING, "1:1"))
        for turn, batch in enumerate(batches):
            name = names[turn % 2]
            expected = set()
            for number, before, after, keep, _ in batch:
                state, claim = model.get(number, (None, None))
                if state in before and claim in (None, name):
                    expected.add(number)
                    model[number] = (after, name if keep and after in row.UNFINISHED else None)
            assert await journals[turn % 2].advance([_step(*each) for each in batch]) == expected
        found = await database.rows("SELECT id, state, claim, shelf FROM arrivals")
        assert {number: (State(state), claim) for number, state, claim, _ in found} == model
        assert all(shelf == row.shelf(state) for _, state, _, shelf in found)
        assert await journals[0].counts() == await counted(database)
        await database.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(story(Path(folder) / "x"))


def _step(number, before, after, keep, facts):
    return Step(number, before, after, facts, keep=keep)


async def test_what_waits_is_found_whoever_has_it_and_what_is_listed_among_it(
    journal, other, database
):
    ids = await journal.begin([intent(b"%d" % n) for n in range(3)])
    hashes = ["aa" * 32, "bb" * 32, "cc" * 32]
    await journal.advance(
        [
            Step(number, HOLDING, State.WAITING, Facts(sha256=sha256))
            for number, sha256 in zip(ids[:2], hashes, strict=False)
        ]
    )
    assert [each.id for each in await other.waiting()] == ids[:2]
    lists = Lists(database, FakeClock())
    assert await other.waiting_and_listed(50.0) == []
    await lists.add(Listed(hashes[1], ListName.BLOCK, ListedBy.USER, 1.0, expires_at=100.0))
    await lists.add(Listed(hashes[2], ListName.BLOCK, ListedBy.USER, 1.0))
    assert [each.id for each in await other.waiting_and_listed(50.0)] == [ids[1]]
    assert await other.waiting_and_listed(100.0) == []


async def test_what_lies_in_the_quarantine_since_before_then_is_found_oldest_first(journal):
    def kept(finished_at, state=State.QUARANTINED, **more):
        return Arrival(0, state, b"/w", b"/w/a", finished_at=finished_at, **more)

    first, *_ = await journal.adopt(
        [
            kept(5.0),
            kept(9.0),
            kept(None, decided_at=4.0),
            kept(None, arrived_at=3.0),
            kept(None),  # nobody knows since when
            kept(1.0, State.RESTORED),
            kept(1.0, State.RELEASED),
        ]
    )
    found = [each.id - first for each in await journal.quarantined_before(9.0)]
    assert found == [0, 2, 3]
    assert [each.id - first for each in await journal.quarantined_before(9.0, at_most=1)] == [0]
