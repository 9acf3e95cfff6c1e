"""How requests leave this machine: the session, and a guard against silent second requests."""

import aiohttp

import checkfirst

USER_AGENT = f"checkfirst/{checkfirst.__version__}; gzip"
"""The front end compresses only for those whose User-Agent says `gzip`, as vt-py's does."""


def new_session(*traces: aiohttp.TraceConfig) -> aiohttp.ClientSession:
    """Make a session that keeps neither cookies nor connections.

    At a few requests a minute an idle connection is closed by the other side before it is used
    again, which would look like a failure. Proxies are taken from the environment.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        trust_env=True,
        trace_configs=list(traces),
    )


class SecondRequestError(aiohttp.ClientError):
    """aiohttp was about to send a request again by itself."""


def only_once() -> aiohttp.ClientMiddlewareType:
    """Make a middleware, good for one call, that lets one request through.

    aiohttp sends a GET again when the server drops the connection (measured with 3.14, even on
    new connections), and the second one would cost quota that nobody has counted.
    """
    first: list[Exception] = []
    used = False

    async def send(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        nonlocal used
        if used:
            raise SecondRequestError(*first)
        used = True
        try:
            return await handler(request)
        except aiohttp.ClientError as error:
            first.append(error)
            raise

    return send
