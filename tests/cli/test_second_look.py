import pytest

from checkfirst.cli.second_look import story, summary
from checkfirst.model import VerdictKind
from checkfirst.store.second_looks import Looks

NOW = 1_764_000_000.0


@pytest.mark.parametrize(
    ("looks", "words"),
    [
        (Looks(0, None), ""),
        (Looks(1, NOW + 60), "1 file is asked about again, the next at 2025-11-24 16:01:00"),
        (Looks(2, NOW), "2 files are asked about again, the next as soon as requests can be"),
    ],
)
def test_status_tells_of_all(looks, words, run):
    assert summary(looks, NOW).startswith(words)
    assert bool(summary(looks, NOW)) is bool(words)


@pytest.mark.parametrize(
    ("looks", "before", "then"),
    [
        (
            Looks(1, NOW + 60, None, VerdictKind.UNKNOWN),
            "It was called unknown before.",
            "It is asked about again at 2025-11-24 16:01:00.",
        ),
        (
            Looks(1, NOW - 1, NOW - 60, VerdictKind.CLEAN),
            "VirusTotal was asked again at 2025-11-24 15:59:00 and called it clean.",
            "It is asked about again as soon as requests can be spared.",
        ),
        (
            Looks(0, None, NOW - 60, VerdictKind.MALICIOUS),
            "VirusTotal was asked again at 2025-11-24 15:59:00 and called it malicious.",
            "It is not asked about again.",
        ),
    ],
)
def test_why_tells_of_one(looks, before, then, run):
    assert story(looks, NOW) == f"{before} {then}"
