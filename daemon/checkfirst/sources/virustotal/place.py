"""Which servers are VirusTotal's own, and which a file and the key may be sent to. Pure."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

_DOMAIN = "virustotal.com"


def is_virustotals(url: str) -> bool:
    """Whether an address is at virustotal.com or below it, over https."""
    place = _split(url)
    return place is not None and _is_own(place)


def may_receive(url: str, api: str) -> bool:
    """Whether an upload may go to `url`, given the `api` of the settings.

    Only https to virustotal.com or below it: large files have been sent to bigfiles.virustotal.com
    and www.virustotal.com. A plain loopback `api`, as tests and the demo have it, allows plain
    loopback.
    """
    place, base = _split(url), _split(api)
    if place is None or base is None:
        return False
    if place.scheme == "https":
        return _is_own(place)
    return _is_plain_loopback(place) and _is_plain_loopback(base)


def _is_own(place: SplitResult) -> bool:
    host = (place.hostname or "").rstrip(".")
    return (
        place.scheme == "https"
        and place.port in {None, 443}
        and (host == _DOMAIN or host.endswith(f".{_DOMAIN}"))
    )


def _split(url: str) -> SplitResult | None:
    """Split a URL that every parser reads alike, or give None."""
    if not url.isascii() or not url.isprintable() or any(one in url for one in " \\@#"):
        return None
    try:
        place = urlsplit(url)
        _ = place.port
    except ValueError:
        return None
    return place


def _is_plain_loopback(place: SplitResult) -> bool:
    host = place.hostname or ""
    if place.scheme != "http":
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
