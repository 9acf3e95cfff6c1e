import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from checkfirst.simulator.faults import html
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import Elsewhere, simulator_in_thread


def look_up(simulator: Elsewhere, sha256: str) -> tuple[int, dict[str, object]]:
    request = urllib.request.Request(
        f"{simulator.url}/files/{sha256}", headers={"x-apikey": "demo"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_program_without_a_loop_can_use_it():
    with simulator_in_thread() as simulator:
        before = look_up(simulator, clean(b"x").sha256)
        simulator.add(clean(b"x"))
        after = look_up(simulator, clean(b"x").sha256)
        simulator.forget(clean(b"x").sha256)
        again = look_up(simulator, clean(b"x").sha256)

        assert [before[0], after[0], again[0]] == [404, 200, 404]
        assert [one.status for one in simulator.requests] == [404, 200, 404]
        assert simulator.most_in_any_window(60) == 3
        assert simulator.uploads == []


def test_files_may_be_added_from_many_threads_while_it_serves():
    files = [malicious(str(number).encode(), number) for number in range(1, 61)]

    def work(index: int) -> int:
        simulator.add(files[index])
        status, body = look_up(simulator, files[index].sha256)
        assert status == 200
        return body["data"]["attributes"]["last_analysis_stats"]["malicious"]

    with (
        simulator_in_thread(Simulator(limits=NO_LIMITS)) as simulator,
        ThreadPoolExecutor(8) as pool,
    ):
        detections = list(pool.map(work, range(60)))

    assert detections == list(range(1, 61))


def test_faults_and_knobs_can_be_turned_from_outside():
    with simulator_in_thread() as simulator:
        simulator.fail_next(html(404, "{}"), path="/files/", skip=1)
        simulator.script(malicious(b"x"))
        simulator.behave(retry_after=7)
        first = look_up(simulator, malicious(b"x").sha256)
        with pytest.raises(json.JSONDecodeError):
            look_up(simulator, malicious(b"x").sha256)
        simulator.fail_always(html())
        with pytest.raises(json.JSONDecodeError):
            look_up(simulator, malicious(b"x").sha256)
        simulator.heal()

        assert first[0] == 404
        assert look_up(simulator, malicious(b"x").sha256)[0] == 404
        assert simulator.do(lambda inner: inner.behaviour.retry_after) == 7


def test_an_error_in_a_deed_comes_back_to_its_thread():
    with simulator_in_thread() as simulator, pytest.raises(ZeroDivisionError):
        simulator.do(lambda _inner: 1 / 0)


def test_a_taken_port_is_said_to_whoever_asked_for_it():
    with simulator_in_thread() as simulator:
        port = int(simulator.url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="address already in use"), simulator_in_thread(port=port):
            pass


def test_it_serves_no_more_when_the_block_is_left():
    with simulator_in_thread() as simulator:
        url = simulator.url

    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url)
