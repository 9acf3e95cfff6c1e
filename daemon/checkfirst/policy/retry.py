"""How long to wait before trying again. Seconds in, seconds out; chance is handed in."""

FIRST_REPORT = 300.0
"""A report without an analysis yet is asked for again after five minutes, …"""

LAST_REPORT = 21_600.0
"""… then ever more seldom, down to every six hours."""

_JITTER = 0.25
_DOUBLINGS = 60


def backoff(attempt: int, first: float, at_most: float, random: float) -> float:
    """Give the wait after the attempt of that number, counted from 0.

    It doubles each time. `random` in [0, 1) lengthens it by up to a quarter, so that many who
    failed at once do not come back at once; never sooner than `first`, never more than `at_most`.
    """
    return min(doubling(attempt, first, at_most) * (1 + random * _JITTER), at_most)


def doubling(asked: int, first: float = FIRST_REPORT, at_most: float = LAST_REPORT) -> float:
    """Give the wait before a pending report is asked for again, having been asked for before."""
    return min(first * 2.0 ** min(max(asked, 0), _DOUBLINGS), at_most)
