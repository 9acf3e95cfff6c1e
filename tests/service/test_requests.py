from collections import Counter

from checkfirst.model import VerdictKind
from tests.bench import trace


def test_a_trace_of_downloads_costs_one_request_for_each_file_nobody_here_knows(tmp_path):
    made = trace.made()
    counts = Counter(made.downloads)
    assert len(made.downloads) == 2000
    assert sum(counts.values()) - len(counts) == 600
    assert (len(made.known_good), len(made.blocked), len(made.new)) == (800, 20, 580)
    assert set(counts) == {*made.known_good, *made.blocked, *made.new}

    spent = trace.run(made, tmp_path)
    assert sorted(spent.requests) == sorted(made.new)
    kinds = {sha256: verdict.kind for sha256, verdict in spent.verdicts.items()}
    assert {kinds[each] for each in made.known_good} == {VerdictKind.CLEAN}
    assert {kinds[each] for each in made.blocked} == {VerdictKind.MALICIOUS}
    assert {kinds[each] for each in made.new[::2]} == {VerdictKind.CLEAN}
    assert {kinds[each] for each in made.new[1::2]} == {VerdictKind.UNKNOWN}
    assert set(spent.answered_by) == {"lists", "remembered", "known-good", "virustotal"}
