import pytest

from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists

A, B = "aa" * 32, "bb" * 32


@pytest.fixture
def lists(database, clock):
    return Lists(database, clock)


def entry(sha256=A, name=ListName.ALLOW, **more):
    return Listed(sha256, name, ListedBy.USER, **{"added_at": 1.0, **more})


async def test_what_was_added_is_looked_up(lists):
    await lists.add(entry(note="mine \udc80"), entry(B, ListName.BLOCK))
    found = await lists.look_up([A, B, "cc" * 32])
    assert found == {A: entry(note="mine \\udc80"), B: entry(B, ListName.BLOCK)}


async def test_the_last_word_on_a_hash_counts(lists):
    await lists.add(entry(name=ListName.BLOCK))
    allowed = Listed(A, ListName.ALLOW, ListedBy.RESTORE, 2.0)
    await lists.add(allowed)
    assert await lists.all() == [allowed]


async def test_an_entry_expires_at_its_moment(lists, clock):
    await lists.add(entry(expires_at=clock.now() + 10))
    assert A in await lists.look_up([A])
    clock.jump(10)
    assert await lists.look_up([A]) == {}
    assert len(await lists.all()) == 1


async def test_what_has_expired_is_pruned(lists, clock):
    await lists.add(entry(expires_at=clock.now()), entry(B, expires_at=clock.now() + 1))
    assert await lists.prune() == 1
    assert [each.hash for each in await lists.all()] == [B]


async def test_sha1_and_md5_are_told_apart_while_they_count(lists, clock):
    weak = (
        entry("1" * 40, ListName.BLOCK),
        entry("2" * 32, ListName.BLOCK, expires_at=clock.now() + 5),
    )
    await lists.add(entry(), *weak)
    assert await lists.weak() == {"1" * 40, "2" * 32}
    clock.jump(5)
    assert await lists.weak() == {"1" * 40}


async def test_a_hash_is_removed_from_the_list_it_is_on_only(lists):
    await lists.add(entry(), entry(B, ListName.BLOCK))
    assert await lists.remove(ListName.BLOCK, [A, B]) == {B}
    assert await lists.all(ListName.BLOCK) == []
    assert await lists.all(ListName.ALLOW) == [entry()]
