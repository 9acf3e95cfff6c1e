"""A web site that takes its time, so that half a file is there to see."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

GOOD = b"good bytes " * 50_000
BAD = b"bad bytes " * 50_000
PIECES = 20
STALL_SECONDS = 3.0
"""Far longer than the quiet time that the stories are run with."""


class _Slow(BaseHTTPRequestHandler):
    """Serves an attachment in pieces, two seconds in all; with `stall` in its name, it pauses."""

    def do_GET(self) -> None:
        content = BAD if "bad" in self.path else GOOD
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Disposition", f'attachment; filename="{self.path[1:]}"')
        self.end_headers()
        size = len(content) // PIECES
        for number, start in enumerate(range(0, len(content), size)):
            self.wfile.write(content[start : start + size])
            stalls = number == PIECES // 2 and "stall" in self.path
            time.sleep(STALL_SECONDS if stalls else 2 / PIECES)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def slow_site() -> Iterator[str]:
    """The address of the site, without a slash at its end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Slow) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def installed(program: str) -> str:
    """Where the program is; the test is skipped when it is not installed."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found
