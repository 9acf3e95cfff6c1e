import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.model import VerdictKind
from checkfirst.sources.virustotal.replies import (
    MOST_BYTES,
    MOST_THREATS,
    Answered,
    message,
    read_analysis,
    read_report,
    read_upload,
    read_upload_url,
)
from checkfirst.sources.virustotal.reply import (
    AnalysisStatus,
    Descriptor,
    Failure,
    FailureKind,
    NotKnown,
    Reach,
    Report,
    UploadUrl,
)
from checkfirst.sources.virustotal.rules import Rules
from checkfirst.sources.virustotal.verdict import of_analysis, of_report

SHA = "ab" * 32
ID = "NjhiMzI5ZGE5ODkzZTM0MDk5YzdkOGFkNWNiOWM5NDA6MTU5OTA1NTM1Ng=="
STATS = {"malicious": 0, "suspicious": 0, "undetected": 63, "harmless": 0, "failure": 1}
KEY = "0123456789abcdef" * 4
RULES = Rules()


def answered(content: object, status: int = 200, **more) -> Answered:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answered(
        status, more.pop("content_type", "application/json; charset=utf-8"), body, **more
    )


def error(code: str, text: str = "some words") -> dict:
    return {"error": {"code": code, "message": text}}


def report(attributes: object = None, **data) -> dict:
    known = {"last_analysis_stats": STATS, "last_analysis_date": 1755148850, "sha256": SHA}
    attributes = known if attributes is None else attributes
    return {"data": {"id": SHA, "type": "file", "attributes": attributes} | data}


def analysis(**attributes) -> dict:
    attributes = {"status": "completed", "stats": STATS, "date": 1755148850} | attributes
    return {
        "meta": {"file_info": {"sha256": SHA}},
        "data": {"id": ID, "type": "analysis", "attributes": attributes},
    }


def kind(content: object, status: int = 200, **more) -> FailureKind | type:
    reply = read_report(answered(content, status, **more), SHA)
    return reply.kind if isinstance(reply, Failure) else type(reply)


def test_a_report_is_read():
    results = {
        "Zeta": {"category": "malicious", "result": "Trojan\n\u202ex" + "y" * 500},
        "Alpha-1.0": {"category": "suspicious", "result": None},
        "Quiet": {"category": "undetected", "result": None},
        "Odd": ["malicious"],
    }
    attributes = {
        "last_analysis_stats": STATS,
        "last_analysis_date": 5,
        "last_analysis_results": results,
    }
    reply = read_report(answered(report(attributes)), SHA)
    assert isinstance(reply, Report)
    assert (reply.stats, reply.last_analysis_date) == (STATS, 5)
    assert reply.threats[0] == "Alpha-1.0: no name given"
    assert reply.threats[1].startswith("Zeta: Trojan\\x0a\\u202ex")
    assert len(reply.threats[1]) == 120
    assert len(reply.threats) == 2


def test_threats_are_not_endless():
    results = {f"E{n}": {"category": "malicious", "result": "x"} for n in range(100)}
    reply = read_report(answered(report({"last_analysis_results": results})), SHA)
    assert isinstance(reply, Report)
    assert len(reply.threats) == MOST_THREATS


@pytest.mark.parametrize(
    ("stats", "date", "expected"),
    [
        ({"malicious": "3", "undetected": "60"}, "1755148850", VerdictKind.MALICIOUS),
        ({"malicious": 0.0, "undetected": 60.0}, 1.755148850e9, VerdictKind.CLEAN),
        ({"undetected": 60}, 5, VerdictKind.PENDING),
        ({"malicious": None, "undetected": 60}, 5, VerdictKind.PENDING),
        ({"malicious": "none", "undetected": 60}, 5, VerdictKind.PENDING),
        ({"malicious": -1, "undetected": 60}, 5, VerdictKind.PENDING),
        ({"malicious": False, "undetected": 60}, 5, VerdictKind.PENDING),
        ({"malicious": 0, "undetected": "many"}, 5, VerdictKind.UNKNOWN),
        ({"malicious": 0, "undetected": 60}, "yesterday", VerdictKind.PENDING),
        ({"malicious": 0, "undetected": 60}, None, VerdictKind.PENDING),
        ({"malicious": 0, "undetected": 60}, 0, VerdictKind.PENDING),
        ({"malicious": 1, "undetected": []}, None, VerdictKind.MALICIOUS),
        (["malicious", 62], 5, VerdictKind.PENDING),
        ({}, 5, VerdictKind.PENDING),
        (None, 5, VerdictKind.PENDING),
    ],
)
def test_odd_numbers_are_read_or_count_as_absent_but_never_clear(stats, date, expected):
    content = report({"last_analysis_stats": stats, "last_analysis_date": date})
    reply = read_report(answered(content), SHA)
    assert isinstance(reply, Report)
    assert of_report(reply, RULES).kind is expected


@pytest.mark.parametrize("odd", [None, 7, "x", [], {"a": 1}])
@pytest.mark.parametrize("field", ["size", "names", "tags", "last_analysis_results", "reputation"])
def test_a_wrong_type_where_nobody_looks_does_no_harm(field, odd):
    attributes = {"last_analysis_stats": STATS, "last_analysis_date": 5, field: odd}
    reply = read_report(answered(report(attributes)), SHA)
    assert isinstance(reply, Report)
    assert of_report(reply, RULES).kind is VerdictKind.CLEAN


@pytest.mark.parametrize("attributes", [{}, [], "x", 5])
def test_a_report_without_attributes_is_pending(attributes):
    reply = read_report(answered(report(attributes)), SHA)
    assert isinstance(reply, Report)
    assert of_report(reply, RULES).kind is VerdictKind.PENDING


@pytest.mark.parametrize(
    "content",
    [
        report(id="cd" * 32),
        report({}, id=None),
        report({"sha256": "cd" * 32}),
        report(type="url"),
        {"data": {"id": "cd" * 32, "attributes": {"sha256": SHA}}},
        {"data": {"attributes": {"last_analysis_stats": STATS}}},
    ],
)
def test_a_report_on_another_file_is_a_failure(content):
    assert kind(content) is FailureKind.RETRY


@pytest.mark.parametrize(
    ("status", "code", "expected", "reach"),
    [
        (400, "BadRequestError", FailureKind.REFUSED, Reach.ANSWERED),
        (400, "InvalidArgumentError", FailureKind.REFUSED, Reach.ANSWERED),
        (400, "NotAvailableYet", FailureKind.RETRY, Reach.ANSWERED),
        (401, "AuthenticationRequiredError", FailureKind.KEY_REFUSED, Reach.ANSWERED),
        (401, "UserNotActiveError", FailureKind.KEY_REFUSED, Reach.ANSWERED),
        (401, "WrongCredentialsError", FailureKind.KEY_REFUSED, Reach.ANSWERED),
        (403, "ForbiddenError", FailureKind.KEY_REFUSED, Reach.ANSWERED),
        (400, "QuotaExceededError", FailureKind.THROTTLED, Reach.ANSWERED),
        (400, "WrongCredentialsError", FailureKind.KEY_REFUSED, Reach.ANSWERED),
        (401, "SomethingElse", FailureKind.KEY_REFUSED, Reach.ANSWERED),
        (403, "TooManyRequestsError", FailureKind.THROTTLED, Reach.ANSWERED),
        (403, "TransientError", FailureKind.RETRY, Reach.ANSWERED),
        (503, "WrongCredentialsError", FailureKind.KEY_REFUSED, Reach.ANSWERED),
        (404, "SomethingElse", FailureKind.REFUSED, Reach.ANSWERED),
        (409, "AlreadyExistsError", FailureKind.REFUSED, Reach.ANSWERED),
        (424, "FailedDependencyError", FailureKind.RETRY, Reach.ANSWERED),
        (429, "QuotaExceededError", FailureKind.THROTTLED, Reach.ANSWERED),
        (429, "TooManyRequestsError", FailureKind.THROTTLED, Reach.ANSWERED),
        (500, "NotFoundError", FailureKind.RETRY, Reach.ANSWERED),
        (503, "TransientError", FailureKind.RETRY, Reach.ANSWERED),
        (504, "DeadlineExceededError", FailureKind.RETRY, Reach.ANSWERED),
    ],
)
def test_every_error_of_the_catalogue_has_its_kind(status, code, expected, reach):
    reply = read_report(answered(error(code), status), SHA)
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.code, reply.message, reply.reach) == (
        expected,
        code,
        "some words",
        reach,
    )


def test_not_found_in_virustotals_own_words_is_an_answer():
    assert kind(error("NotFoundError"), 404) is NotKnown


def test_where_somebody_else_could_answer_not_found_must_name_the_file():
    def read(text: object) -> object:
        return read_report(answered(error("NotFoundError", text), 404), SHA, is_virustotals=False)

    assert read(f'File "{SHA}" not found') == NotKnown()
    for text in (
        "Resource not found",
        f'File "{SHA}x" not found',
        f'File "/vt/files/{SHA}" not found',
        f'URL "{SHA}" not found',
        f"File {SHA} not found",
        None,
        7,
    ):
        reply = read(text)
        assert isinstance(reply, Failure)
        assert (reply.kind, reply.reach) == (FailureKind.UNPROVEN, Reach.SENT)
        assert "without naming the file" in reply.message


@pytest.mark.parametrize("status", [200, 204, 301, 302, 401, 403, 404, 407, 500, 502, 504])
def test_a_page_of_html_is_never_an_answer(status):
    page = b"<html>Welcome to the guest network</html>"
    for read in (
        read_report(answered(page, status, content_type="text/html"), SHA),
        read_report(answered(page, status), SHA),
        read_report(answered(error("NotFoundError"), status, content_type="text/html"), SHA),
        read_upload(answered(page, status, content_type="text/html")),
    ):
        assert isinstance(read, Failure)
        assert (read.kind, read.reach) == (FailureKind.RETRY, Reach.SENT)


@pytest.mark.parametrize("status", [100, 201, 204, 206, 302, 404, 418, 503])
def test_a_report_under_another_status_is_none(status):
    assert kind(report(), status) is FailureKind.RETRY


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        json.dumps(report()).encode()[:-1],
        b"[" * 200_000,
        b"null",
        b"[]",
        b'{"data": null}',
        b'{"data": []}',
        b"1" * 5000,
        b'{"data": {"id": "\xff"}}',
        b'{"error": {"code": "NotFoundError"}}',
        b" " * (MOST_BYTES + 1),
    ],
)
def test_broken_json_is_a_failure(body):
    assert kind(body) is FailureKind.RETRY


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("-5", None),
        ("9" * 50, None),
    ],
)
def test_retry_after_is_read_where_it_is_a_number(text, seconds):
    reply = read_report(answered(error("QuotaExceededError"), 429, retry_after=text), SHA)
    assert isinstance(reply, Failure)
    assert reply.retry_after == seconds


def test_a_429_needs_no_form():
    assert kind(b"<html>", 429, content_type="text/html") is FailureKind.THROTTLED


@pytest.mark.parametrize("echoed", [KEY, KEY.upper()])
@pytest.mark.parametrize("before", [0, 250, 290])
def test_the_key_never_comes_back_in_a_message(echoed, before):
    text = "x" * before + f"Wrong API key: {echoed} ({echoed})"
    reply = read_report(answered(error("WrongCredentialsError", text), 401, secret=KEY), SHA)
    assert isinstance(reply, Failure)
    assert "0123456789" not in reply.message
    assert len(reply.message) <= 300


def test_messages_are_escaped():
    assert message("a\x1b[31m\u202e\ud800") == "a\\x1b[31m\\u202e\\ud800"


def test_an_error_without_form_is_a_failure_to_retry():
    assert kind({"message": "no"}, 400) is FailureKind.RETRY
    assert kind({"error": "no"}, 404) is FailureKind.RETRY
    assert kind({"error": {"code": 5}}, 401) is FailureKind.RETRY


@pytest.mark.parametrize(
    ("status", "finished"),
    [("completed", True), ("queued", False), ("in-progress", False), (None, False)],
)
def test_only_a_completed_analysis_is_finished(status, finished):
    reply = read_analysis(answered(analysis(status=status)), ID, SHA)
    assert isinstance(reply, AnalysisStatus)
    assert reply.finished is finished
    assert of_analysis(reply, SHA, RULES, 5.0).kind is (
        VerdictKind.CLEAN if finished else VerdictKind.PENDING
    )


def test_a_partial_analysis_may_condemn():
    reply = read_analysis(answered(analysis(status="queued", stats={"malicious": 1})), ID, SHA)
    assert isinstance(reply, AnalysisStatus)
    assert of_analysis(reply, SHA, RULES, 5.0).kind is VerdictKind.MALICIOUS


def test_an_analysis_of_another_file_is_a_failure():
    content = analysis()
    content["meta"]["file_info"]["sha256"] = "cd" * 32
    assert isinstance(read_analysis(answered(content), ID, SHA), Failure)
    del content["meta"]
    assert isinstance(read_analysis(answered(content), ID, SHA), AnalysisStatus)
    assert isinstance(read_analysis(answered(content), "another", SHA), Failure)
    assert isinstance(read_analysis(answered(error("NotFoundError"), 404), ID, SHA), NotKnown)


@pytest.mark.parametrize("analysis_id", [ID, 1234567890])
def test_an_upload_names_its_analysis(analysis_id):
    content = {"data": {"type": "analysis", "id": analysis_id}}
    assert read_upload(answered(content)) == Descriptor(str(analysis_id))


@pytest.mark.parametrize("analysis_id", [None, "", "a b", "a\n", "x" * 500, [], True])
def test_an_upload_without_a_usable_analysis_is_a_failure(analysis_id):
    reply = read_upload(answered({"data": {"type": "analysis", "id": analysis_id}}))
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.RETRY


def test_413_on_an_upload_is_too_large_whatever_the_page_says():
    reply = read_upload(answered(b"<html>too large</html>", 413, content_type="text/html"))
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.TOO_LARGE


def test_upload_and_upload_url_that_are_not_found_are_failures():
    for reply in (
        read_upload(answered(error("NotFoundError"), 404)),
        read_upload_url(answered(error("NotFoundError"), 404)),
    ):
        assert isinstance(reply, Failure)
        assert reply.kind is FailureKind.RETRY


def test_an_upload_url_is_a_bare_string():
    assert read_upload_url(answered({"data": "https://x/"})) == UploadUrl("https://x/")
    assert isinstance(read_upload_url(answered({"data": 5})), Failure)


FIELDS = (
    *("data", "error", "code", "message", "attributes", "id", "type", "meta", "file_info"),
    *("sha256", "last_analysis_stats", "last_analysis_date", "last_analysis_results"),
    *("malicious", "undetected", "stats", "status", "date", "results"),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([SHA, "file", "analysis", "completed", "NotFoundError"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text() | st.sampled_from(FIELDS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)
STATUSES = st.sampled_from([200, 400, 401, 403, 404, 413, 429, 500, 503]) | st.integers(100, 599)


def read_all(one: Answered) -> list[object]:
    return [
        read_report(one, SHA),
        read_analysis(one, ID, SHA),
        read_upload(one),
        read_upload_url(one),
    ]


@given(JSON, STATUSES, st.text(max_size=5))
def test_any_json_becomes_some_reply_and_none_clears(content, status, retry_after):
    for reply in read_all(answered(content, status, retry_after=retry_after, secret="k")):
        if isinstance(reply, Report):
            assert status == 200
            assert of_report(reply, RULES).kind is not VerdictKind.CLEAN
        elif isinstance(reply, AnalysisStatus):
            assert status == 200
            assert of_analysis(reply, SHA, RULES, 5.0).kind is not VerdictKind.CLEAN
        else:
            assert isinstance(reply, Failure | NotKnown | Descriptor | UploadUrl)


@given(st.binary(max_size=200), STATUSES, st.text(max_size=10))
def test_any_bytes_become_a_failure(body, status, content_type):
    for reply in read_all(Answered(status, content_type + "json", body)):
        assert isinstance(reply, Failure)


@given(
    JSON,
    JSON,
    JSON,
    st.integers(0, 3),
)
def test_whatever_stands_in_place_of_the_findings_does_not_clear(
    malicious, suspicious, date, noise
):
    stats = {"malicious": malicious, "suspicious": suspicious, "undetected": 60, "timeout": noise}
    content = report({"last_analysis_stats": stats, "last_analysis_date": date})
    reply = read_report(answered(content), SHA)
    assert isinstance(reply, Report)
    if of_report(reply, RULES).kind is VerdictKind.CLEAN:
        assert reply.last_analysis_date is not None
        assert {str(malicious).strip().strip("0"), str(suspicious).strip().strip("0")} <= {"", "."}
