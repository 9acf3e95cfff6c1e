import pytest

from checkfirst.model import Fingerprint, Risk, Verdict, VerdictKind
from checkfirst.sources.remembered import Freshness, Remembered, ago
from tests.fakes.clock import FakeClock

SHA = "a" * 64
FRESH = Freshness(malicious=300.0, clean=200.0, unknown=100.0)
VERDICT = Verdict(
    VerdictKind.CLEAN,
    "virustotal",
    "none of 63 engines found anything",
    0,
    63,
    "https://r",
    ("E: x",),
)


def remembered(clock, kind=VerdictKind.CLEAN, *, age: float = 0.0, fresh=FRESH) -> Remembered:
    kept = VERDICT._replace(kind=kind)

    async def recall(sha256s):
        return {SHA: (kept, clock.now() - age)} if SHA in sha256s else {}

    return Remembered(recall, fresh, clock)


async def ask(source: Remembered) -> Verdict | None:
    return (await source.answer([Fingerprint(SHA, 1, "", Risk.OTHER)])).get(SHA)


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [(VerdictKind.MALICIOUS, 300), (VerdictKind.CLEAN, 200), (VerdictKind.UNKNOWN, 100)],
)
async def test_each_kind_is_believed_for_its_own_time(kind, seconds):
    clock = FakeClock()
    assert await ask(remembered(clock, kind, age=seconds - 1)) is not None
    assert await ask(remembered(clock, kind, age=seconds)) is None


@pytest.mark.parametrize(
    ("kind", "detections", "engines", "believed"),
    [
        (VerdictKind.CLEAN, 2, 60, True),
        (VerdictKind.CLEAN, 3, 60, False),
        (VerdictKind.CLEAN, 0, 19, False),
        (VerdictKind.CLEAN, 0, 20, True),
        (VerdictKind.CLEAN, None, None, True),
        (VerdictKind.UNKNOWN, 3, 5, False),
        (VerdictKind.UNKNOWN, 0, 5, True),
        (VerdictKind.MALICIOUS, 1, 60, True),
    ],
)
async def test_what_passed_by_laxer_thresholds_is_not_believed(kind, detections, engines, believed):
    clock = FakeClock()
    kept = Verdict(kind, "virustotal", "said so", detections, engines)
    fresh = Freshness(300.0, 200.0, 100.0, malicious_at=3, opinions_at_least=20)

    async def recall(sha256s):
        return {SHA: (kept, clock.now())}

    assert (await ask(Remembered(recall, fresh, clock)) is not None) is believed


async def test_nothing_is_believed_for_no_time():
    assert await ask(remembered(FakeClock(), fresh=Freshness(0.0, 0.0, 0.0))) is None


async def test_a_pending_verdict_is_never_believed():
    assert await ask(remembered(FakeClock(), VerdictKind.PENDING)) is None


async def test_after_the_clock_was_set_back_an_answer_counts_as_new():
    found = await ask(remembered(FakeClock(), age=-10_000))
    assert found is not None
    assert found.reason.endswith("(answered just now)")


async def test_an_answer_from_the_far_future_is_not_believed():
    assert await ask(remembered(FakeClock(), age=-2 * 86_400)) is None


async def test_it_says_how_old_the_answer_is_and_keeps_all_facts():
    found = await ask(remembered(FakeClock(), age=125))
    assert found is not None
    assert found.source == "remembered"
    assert found.reason == "none of 63 engines found anything (answered 2 minutes ago)"
    assert (found.detections, found.engines, found.report_url) == (0, 63, "https://r")
    assert found.threats == ("E: x",)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86400, "1 day ago"),
    ],
)
def test_ages_in_words(seconds, words):
    assert ago(seconds) == words


async def test_health_counts():
    source = remembered(FakeClock())
    await ask(source)
    await source.answer([Fingerprint("b" * 64, 1, "", Risk.OTHER)])
    assert (source.health().asked, source.health().answered) == (2, 1)


@pytest.mark.parametrize(
    ("submits", "kind", "page", "believed"),
    [
        ({Risk.OTHER}, VerdictKind.UNKNOWN, None, False),
        ({Risk.OTHER}, VerdictKind.UNKNOWN, "https://r", True),  # it was uploaded, or is known
        ({Risk.OTHER}, VerdictKind.CLEAN, None, True),
        ({Risk.PROGRAM}, VerdictKind.UNKNOWN, None, True),
        ((), VerdictKind.UNKNOWN, None, True),
    ],
)
async def test_where_unknown_files_are_uploaded_an_unknown_that_was_not_is_no_answer(
    submits, kind, page, believed
):
    kept = Verdict(kind, "virustotal", "never seen", report_url=page)

    async def recall(_sha256s):
        return {SHA: (kept, 0.0)}

    fresh = Freshness(300.0, 200.0, 100.0, frozenset(submits))
    clock = FakeClock(now=1.0)
    assert (await ask(Remembered(recall, fresh, clock)) is not None) is believed
