import pytest

from checkfirst.sources.virustotal.place import is_virustotals, may_receive

API = "https://www.virustotal.com/api/v3"
LOOPBACK = "http://127.0.0.1:8080/api/v3"


@pytest.mark.parametrize(
    "url",
    [
        "https://www.virustotal.com/_ah/upload/AMmfu6b/",
        "https://bigfiles.virustotal.com/_ah/upload/x",
        "https://virustotal.com:443/x",
    ],
)
@pytest.mark.parametrize("api", [API, LOOPBACK])
def test_https_to_virustotal_and_below_is_trusted(url, api):
    assert may_receive(url, api)


@pytest.mark.parametrize(
    "url",
    [
        "http://www.virustotal.com/_ah/upload/x",
        "https://virustotal.com.evil.example/x",
        "https://evilvirustotal.com/x",
        "https://www.virustotal.com@evil.example/x",
        "https://evil.example\\@www.virustotal.com/x",
        "https://evil.example#.virustotal.com/x",
        "https://www.virustotal.com:8443/x",
        "https://www.virustotal.com:99999/x",
        "ftp://www.virustotal.com/x",
        "https://virustotal.сom/x",
        "https:///x",
        "https://[::1/x",
        "http://169.254.169.254/x",
        "http://localhost.evil.example/x",
        "",
        "/_ah/upload/x",
        "https://www.virustotal.com/x\r\nHost: evil.example",
    ],
)
@pytest.mark.parametrize("api", [API, LOOPBACK])
def test_nothing_else_is(url, api):
    assert not may_receive(url, api)


@pytest.mark.parametrize("host", ["127.0.0.1:9", "127.9.9.9", "localhost:80", "[::1]:80"])
def test_plain_loopback_is_trusted_only_when_the_api_is_there_too(host):
    assert may_receive(f"http://{host}/x", LOOPBACK)
    assert not may_receive(f"http://{host}/x", API)


def test_only_virustotals_own_address_is_taken_for_it():
    assert is_virustotals(API)
    assert is_virustotals("https://virustotal.com./api/v3")
    for url in (
        LOOPBACK,
        "http://www.virustotal.com/api/v3",
        "https://www.virustotal.com:8443/api/v3",
        "https://virustotal.com.example/api/v3",
        "https://proxy.example/www.virustotal.com/api/v3",
        "",
    ):
        assert not is_virustotals(url)
