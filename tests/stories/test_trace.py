"""A trace of downloads through the running daemon: what nobody here knows costs one request each.

The benchmark has 2,000 of them over the sources alone.
"""

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import clean
from checkfirst.simulator.thread import Elsewhere
from tests.bench.trace import made
from tests.sources.knowngood.made import build
from tests.stories.house import House, wait_for

pytestmark = [pytest.mark.story, pytest.mark.timeout(240)]

DOWNLOADS, AT_ONCE = 600, 150
"""So many fall together: repeats meet answers that are there, on their way, not yet asked for."""


def sha(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def test_a_trace_of_downloads_costs_one_request_for_each_hash_that_is_new(
    home: Path, simulator: Elsewhere
):
    trace = made(DOWNLOADS)  # its hashes are what is in the files here
    block = home.parent / "block.txt"
    block.write_text("".join(f"{sha(each)}\n" for each in trace.blocked))
    simulator.add(*(clean(sha(each)) for each in trace.new[::2]))  # nobody knows the others
    house = House(home, simulator.url, lists={"block": [str(block)]})
    house.state.mkdir(parents=True)
    build(house.state / "known-good.cfk", [bytes.fromhex(sha(each)) for each in trace.known_good])
    ends = (State.RELEASED, State.QUARANTINED)
    with house.running():
        for first in range(0, len(trace.downloads), AT_ONCE):
            for number, content in enumerate(trace.downloads[first:][:AT_ONCE], first):
                house.drop(f"{number}.bin", content.encode())
            wait_for("most of them are under way", lambda at=first: len(house.rows()) > at)
        wait_for(
            "all are judged",
            lambda: sum(row.state in ends for row in house.rows()) == len(trace.downloads),
            seconds=120,
        )
        rows = house.rows()
    asked = Counter(each.path.rpartition("/")[2] for each in simulator.requests)
    assert asked == Counter(map(sha, trace.new))
    stopped = {row.sha256 for row in rows if row.state is State.QUARANTINED}
    assert stopped == set(map(sha, trace.blocked))
    by = Counter(row.source for row in rows)
    contents = Counter(trace.downloads)
    assert by["lists"] == sum(contents[each] for each in trace.blocked)
    assert by["known-good"] == sum(contents[each] for each in trace.known_good)
