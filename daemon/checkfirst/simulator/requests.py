"""The list of everything that reached the server, for tests to read."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Request:
    """One request as the server saw it."""

    at: float
    """Monotonic seconds of its arrival."""
    time: float
    """Seconds since the epoch of its arrival."""
    method: str
    path: str
    """Decoded, without the query: `/api/v3/files/<id>`."""
    key: str | None
    headers: Mapping[str, str]
    counted: bool
    """Whether it cost quota."""
    status: int | None = None
    """None while unanswered, and for ever when the connection was dropped."""

    def __str__(self) -> str:
        """One line for a terminal, without the key and without control characters."""
        path = self.path.encode("unicode_escape").decode()
        return f"{self.method} {path} {self.status or 'no answer'}"


@dataclass(slots=True)
class RequestLog:
    """All requests in the order of their arrival."""

    entries: list[Request] = field(default_factory=list)

    def most_in_any_window(self, seconds: float, key: str | None = None) -> int:
        """The largest number of requests that arrived within any `seconds` (of one key, if given).

        A request that comes exactly `seconds` after another is not in one window with it.
        """
        moments = sorted(one.at for one in self.entries if key is None or one.key == key)
        most = first = 0
        for last, moment in enumerate(moments):
            while moment - moments[first] >= seconds:
                first += 1
            most = max(most, last - first + 1)
        return most

    def of(self, path: str, method: str | None = None) -> list[Request]:
        """Those whose path, with or without `/api/v3`, begins like this."""
        wanted = (path, f"/api/v3{path}")
        return [
            one
            for one in self.entries
            if one.path.startswith(wanted) and method in (None, one.method)
        ]
