"""What an HTTP answer means. Pure: bytes in, a value out, whatever the bytes are.

404 with the code NotFoundError is an answer; any other 404 (a proxy's page) is a failure, as is a
report on another hash. Where the address is not VirusTotal's, a 404 must say which file is unknown:
a wrong path answers with the same code. What is done about a failure is not known here.
Error codes: docs.virustotal.com/reference/errors.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from checkfirst.policy.names import escape
from checkfirst.policy.quota import Limits
from checkfirst.sources.virustotal.models import (
    AnalysisEnvelope,
    ErrorBody,
    ErrorEnvelope,
    FileEnvelope,
    QuotasEnvelope,
    Shares,
    UrlEnvelope,
    threats,
)
from checkfirst.sources.virustotal.reply import (
    Allowed,
    AnalysisStatus,
    Descriptor,
    Failure,
    FailureKind,
    NotKnown,
    Reach,
    Report,
    UploadUrl,
)

MOST_BYTES = 8 * 1024 * 1024
"""No answer is read further, once unpacked; a full report has about 33 KB."""

MOST_THREATS = 20
_LONGEST_THREAT = 120
_LONGEST_MESSAGE = 300
_LONGEST_ID = 200

_BY_CODE = {
    "NotAvailableYet": FailureKind.RETRY,
    "FailedDependencyError": FailureKind.RETRY,
    "TransientError": FailureKind.RETRY,
    "DeadlineExceededError": FailureKind.RETRY,
    "QuotaExceededError": FailureKind.THROTTLED,
    "TooManyRequestsError": FailureKind.THROTTLED,
    "AuthenticationRequiredError": FailureKind.KEY_REFUSED,
    "UserNotActiveError": FailureKind.KEY_REFUSED,
    "WrongCredentialsError": FailureKind.KEY_REFUSED,
    "ForbiddenError": FailureKind.KEY_REFUSED,
}
"""Codes that say what can be done, whatever status they come under."""
_LATER_STATUS = frozenset({408, 424, 425})

_NAMELESS = (
    'the address of the settings answers "not found" without naming the file, so it may not lead to'
    " VirusTotal"
)


E = TypeVar("E", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer as it came, unpacked."""

    status: int
    content_type: str
    body: bytes
    retry_after: str = ""
    secret: str = ""
    """What must not come out again in any message (one real 401 echoes the key)."""


def read_report(
    answered: Answered, sha256: str, *, is_virustotals: bool = True
) -> Report | NotKnown | Failure:
    """Read the answer to GET /files/{id}, given by VirusTotal's own address or by another one."""
    envelope = _envelope(answered, FileEnvelope)
    if isinstance(envelope, NotKnown) and not (is_virustotals or _names(answered, sha256)):
        return Failure(FailureKind.UNPROVEN, "NotFoundError", _NAMELESS, Reach.SENT)
    if not isinstance(envelope, FileEnvelope):
        return envelope
    data, attributes = envelope.data, envelope.data.attributes
    told = {one.lower() for one in (data.id, attributes.sha256) if one is not None}
    if told != {sha256} or data.type not in {"file", None}:
        return _retry("WrongObject", "the answer is about something else", Reach.SENT)
    return Report(
        sha256,
        attributes.last_analysis_stats,
        attributes.last_analysis_date,
        _threats(attributes.last_analysis_results),
        attributes.first_submission_date,
    )


def read_analysis(
    answered: Answered, analysis_id: str, sha256: str
) -> AnalysisStatus | NotKnown | Failure:
    """Read the answer to GET /analyses/{id}."""
    envelope = _envelope(answered, AnalysisEnvelope)
    if not isinstance(envelope, AnalysisEnvelope):
        return envelope
    data, about = envelope.data, envelope.meta.file_info.sha256
    ours = data.id == analysis_id if about is None else about.lower() == sha256
    if not ours or data.type not in {"analysis", None}:
        return _retry("WrongObject", "the answer is about something else", Reach.SENT)
    return AnalysisStatus(
        data.attributes.status == "completed",
        data.attributes.stats,
        data.attributes.date,
        _threats(data.attributes.results),
    )


def read_upload(answered: Answered) -> Descriptor | Failure:
    """Read the answer to an upload. 413 comes with a page of HTML, from a server in front."""
    if answered.status == 413:  # noqa: PLR2004  (Content Too Large, RFC 9110)
        return Failure(FailureKind.TOO_LARGE, "413", "it is too large to submit")
    envelope = _envelope(answered, AnalysisEnvelope)
    if isinstance(envelope, NotKnown):
        return _retry("NotFoundError", "VirusTotal does not know the place of the upload")
    if isinstance(envelope, Failure):
        return envelope
    analysis_id = envelope.data.id
    if not analysis_id or len(analysis_id) > _LONGEST_ID or not _is_plain(analysis_id):
        return _retry("NoAnalysis", "the answer to the upload names no analysis")
    return Descriptor(analysis_id)


def read_upload_url(answered: Answered) -> UploadUrl | Failure:
    """Read the answer to GET /files/upload_url. Whether the URL can be trusted is not judged."""
    envelope = _envelope(answered, UrlEnvelope)
    if isinstance(envelope, NotKnown):
        return _retry("NotFoundError", "VirusTotal names no place for the upload")
    return envelope if isinstance(envelope, Failure) else UploadUrl(envelope.data)


def read_quotas(answered: Answered) -> Allowed | NotKnown | Failure:
    """Read the answer to GET /users/{id}/overall_quotas.

    It tells of hours and not of minutes; a public key with 4 a minute has 240 an hour. Numbers that
    make no sense, and 0, count as not told: the settings then hold alone.
    """
    envelope = _envelope(answered, QuotasEnvelope)
    if not isinstance(envelope, QuotasEnvelope):
        return envelope
    data = envelope.data
    hour = _allowed(data.api_requests_hourly)
    minute = max(hour // 60, 1) if hour else 0
    return Allowed(
        Limits(minute, _allowed(data.api_requests_daily), _allowed(data.api_requests_monthly))
    )


def _allowed(shares: Shares) -> int:
    told = [share.allowed for share in (shares.user, shares.group) if share.allowed]
    return min(told, default=0)


def message(text: str, secret: str = "") -> str:
    """Make foreign text fit to be shown: without the secret, escaped, cut."""
    if secret:
        text = re.sub(re.escape(secret), "[key]", text, flags=re.IGNORECASE)
    return _cut(escape(text), _LONGEST_MESSAGE)


def _envelope(answered: Answered, model: type[E]) -> E | NotKnown | Failure:
    """Read a good answer into `model`, and anything else into what it means."""
    if answered.status == 429:  # noqa: PLR2004  (Too Many Requests, RFC 6585; whoever sent it)
        after = _seconds(answered.retry_after)
        text = message(error.message or "", answered.secret) if (error := _error(answered)) else ""
        return Failure(
            FailureKind.THROTTLED,
            error.code if error and _is_plain(error.code) else "429",
            text or "too many requests",
            retry_after=after,
        )
    content = _content(answered)
    if isinstance(content, Failure):
        return content
    if answered.status == 200:  # noqa: PLR2004  (the only status that carries data)
        try:
            return model.model_validate(content)
        except (ValidationError, RecursionError):
            return _retry("UnexpectedContent", "the answer has not the form it should", Reach.SENT)
    return _refusal(answered)


def _refusal(answered: Answered) -> NotKnown | Failure:
    status, error = answered.status, _error(answered)
    if error is None:
        return _retry(
            str(status), f"HTTP status {status}, and not in VirusTotal's form", Reach.SENT
        )
    code = error.code if _is_plain(error.code) and len(error.code) < _LONGEST_ID else str(status)
    text = message(error.message or code, answered.secret)
    code = message(code, answered.secret)
    if status == 404 and error.code == "NotFoundError":  # noqa: PLR2004
        return NotKnown()
    kind = _BY_CODE.get(error.code) or _by_status(status)
    return Failure(kind, code, text, retry_after=_seconds(answered.retry_after))


def _by_status(status: int) -> FailureKind:
    if status in {401, 403}:
        return FailureKind.KEY_REFUSED
    is_ours = 400 <= status < 500 and status not in _LATER_STATUS  # noqa: PLR2004
    return FailureKind.REFUSED if is_ours else FailureKind.RETRY


def _content(answered: Answered) -> object:
    """Parse the body, or say why it cannot be an answer of VirusTotal's."""
    status = answered.status
    if len(answered.body) > MOST_BYTES:
        return _retry("TooLong", "the answer is too long", Reach.SENT)
    if "json" not in answered.content_type.lower():
        kind = message(answered.content_type, answered.secret) or "nothing"
        text = f"HTTP status {status} with {kind} in place of VirusTotal's answer"
        return _retry("NotJson", message(text, answered.secret), Reach.SENT)
    try:
        return json.loads(answered.body)
    except (ValueError, RecursionError):
        return _retry("BrokenJson", f"HTTP status {status} with a broken answer", Reach.SENT)


def _error(answered: Answered) -> ErrorBody | None:
    content = _content(answered)
    try:
        return ErrorEnvelope.model_validate(content).error
    except (ValidationError, RecursionError):
        return None


def _names(answered: Answered, sha256: str) -> bool:
    """Whether a 404 is about this file, in the words in which VirusTotal says so.

    Literally so in recordings of 2020 and later; a path that is none gets other words.
    """
    error = _error(answered)
    return error is not None and error.message == f'File "{sha256}" not found'


def _retry(code: str, text: str, reach: Reach = Reach.ANSWERED) -> Failure:
    return Failure(FailureKind.RETRY, code, text, reach)


def _threats(results: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(
        _cut(escape(f"{engine}: {name}"), _LONGEST_THREAT)
        for engine, name in threats(results)[:MOST_THREATS]
    )


def _seconds(text: str) -> float | None:
    """Read Retry-After in seconds; as a date it has never been seen and is left alone."""
    return float(text) if len(text) < 10 and text.isascii() and text.isdigit() else None  # noqa: PLR2004


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _cut(text: str, at_most: int) -> str:
    return text if len(text) <= at_most else f"{text[: at_most - 1]}…"
