from hypothesis import given
from hypothesis import strategies as st

from checkfirst.simulator.requests import Request, RequestLog


def request(at: float, path: str = "/api/v3/files/x", key: str = "k") -> Request:
    return Request(at, at, "GET", path, key, {}, counted=True)


def log_of(*moments: float) -> RequestLog:
    return RequestLog([request(at) for at in moments])


def test_a_window_is_open_at_its_end():
    assert log_of(0, 59.9).most_in_any_window(60) == 2
    assert log_of(0, 60).most_in_any_window(60) == 1
    assert log_of().most_in_any_window(60) == 0


@given(st.lists(st.integers(0, 300)), st.integers(1, 100))
def test_the_fullest_window_begins_with_a_request(moments, seconds):
    plain = max(
        (sum(start <= one < start + seconds for one in moments) for start in moments), default=0
    )

    assert log_of(*moments).most_in_any_window(seconds) == plain


def test_windows_and_paths_can_be_asked_for_apart():
    log = RequestLog(
        [request(0), request(1, key="other"), request(2, "/api/v3/analyses/y"), request(3)]
    )

    assert log.most_in_any_window(60, "k") == 3
    assert len(log.of("/files/")) == 3
    assert len(log.of("/analyses/y", "POST")) == 0
    assert len(log.of("/api/v3/analyses/", "GET")) == 1


def test_a_line_shows_neither_the_key_nor_control_characters():
    one = request(0, "/api/v3/files/\x1b[31m", key="secret")

    assert str(one) == "GET /api/v3/files/\\x1b[31m no answer"
