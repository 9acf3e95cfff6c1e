"""HTTP replies that look like the real ones: headers, indentation, error bodies, pages of HTML."""

import itertools
import json
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

CATALOGUE: Mapping[str, tuple[int, str]] = {
    "BadRequestError": (400, "Bad request"),
    "InvalidArgumentError": (400, "Invalid argument"),
    "NotAvailableYet": (400, "The resource is not available yet, but will become available later"),
    "UnselectiveContentQueryError": (400, "Content search query is not selective enough"),
    "UnsupportedContentQueryError": (400, "Unsupported content search query"),
    "AuthenticationRequiredError": (401, "X-Apikey header is missing"),
    "UserNotActiveError": (401, "User account is not active"),
    "WrongCredentialsError": (401, "Wrong API key"),
    "ForbiddenError": (403, "You are not authorized to perform the requested operation"),
    "NotFoundError": (404, "Resource not found"),
    "AlreadyExistsError": (409, "Resource already exists"),
    "FailedDependencyError": (424, "A dependency of the request failed"),
    "QuotaExceededError": (429, "Quota exceeded"),
    "TooManyRequestsError": (429, "Too many requests"),
    "TransientError": (503, "Transient server error. Retry might work"),
    "DeadlineExceededError": (504, "The operation took too long to complete"),
}
"""The documented table of errors, code to status and message. The messages of 401, 404, 403 and
QuotaExceededError are literal; those of the others are made up."""

_traces = itertools.count(1)


def json_reply(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """JSON indented by four blanks, with the headers of every recorded answer."""
    return raw_reply(json.dumps(body, indent=4).encode(), status, headers=headers)


def raw_reply(
    body: bytes,
    status: int = 200,
    *,
    content_type: str = "application/json; charset=utf-8",
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Any bytes, with the headers of the real front end."""
    return web.Response(
        body=body,
        status=status,
        headers={**usual_headers(content_type), **(headers or {})},
    )


def usual_headers(content_type: str = "application/json; charset=utf-8") -> dict[str, str]:
    """Those of every recorded answer, besides Date and Content-Length."""
    return {
        "Cache-Control": "no-cache",
        "Content-Type": content_type,
        "X-Cloud-Trace-Context": f"{next(_traces):032x}",
        "Server": "Google Frontend",
    }


async def stream(
    request: web.Request,
    pieces: AsyncIterator[bytes],
    status: int = 200,
    encoding: str | None = None,
) -> web.StreamResponse | None:
    """JSON in pieces, without a length; None when the client went away meanwhile."""
    response = web.StreamResponse(status=status, headers=usual_headers())
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except ConnectionError:
        return None
    return response


def error_reply(
    code: str,
    message: str | None = None,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """An error of the catalogue, or any other when `status` is given."""
    usual_status, usual_message = CATALOGUE.get(code, (status or 500, code))
    body = {"error": {"message": usual_message if message is None else message, "code": code}}
    return json_reply(body, status or usual_status, headers)


def html_reply(status: int, text: str = "") -> web.Response:
    """What front ends and strangers on the way answer: a page for a person."""
    body = f"<!DOCTYPE html>\n<html><title>{status}</title><body>{text}</body></html>\n"
    return raw_reply(body.encode(), status, content_type="text/html; charset=UTF-8")


def accepts_gzip(headers: Mapping[str, str]) -> bool:
    """Whether the real front end would compress: the User-Agent has to say gzip as well."""
    return "gzip" in headers.get("Accept-Encoding", "") and "gzip" in headers.get("User-Agent", "")
