import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import checkfirst
from checkfirst.simulator.corpus import EICAR
from checkfirst.simulator.known import clean, malicious

SOURCE = str(Path(checkfirst.__file__).parents[1])


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "checkfirst.simulator", "--port", "0", *arguments]
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            words = process.stdout.readline().replace(",", "").split()
            yield process, next(word for word in words if word.startswith("http://"))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def stats(url: str, sha256: str, key: str) -> dict[str, int]:
    request = urllib.request.Request(f"{url}/files/{sha256}", headers={"x-apikey": key})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["data"]["attributes"]["last_analysis_stats"]


def test_it_runs_by_itself_and_tells_of_each_request(tmp_path):
    for name in ("known", "bad"):
        (tmp_path / name).write_bytes(name.encode())
    arguments = ("--known", f"{tmp_path}/known", "--malicious", f"{tmp_path}/bad")

    with running("--key", "mine", "--per-minute", "3", *arguments) as (process, url):
        assert stats(url, malicious(EICAR).sha256, "mine")["malicious"] == 62
        assert stats(url, clean(b"known").sha256, "mine")["malicious"] == 0
        assert stats(url, clean(b"bad").sha256, "mine")["malicious"] == 62
        with pytest.raises(urllib.error.HTTPError) as caught:
            stats(url, clean(b"bad").sha256, "mine")
        caught.value.close()
        lines = [process.stdout.readline().split() for _ in range(4)]

    assert caught.value.code == 429
    assert [line[0] for line in lines] == ["GET"] * 4
    assert [line[2] for line in lines] == ["200", "200", "200", "429"]
    assert process.returncode == 0


def test_a_port_that_is_taken_is_said_without_a_trace():
    with running() as (_, url):
        port = url.split(":")[2].split("/")[0]
        command = [sys.executable, "-m", "checkfirst.simulator", "--port", port]
        environment = {**os.environ, "PYTHONPATH": SOURCE}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=20, check=False
        )
    assert done.returncode == 1
    assert done.stderr == f"Cannot listen at 127.0.0.1:{port}: Address already in use\n"
