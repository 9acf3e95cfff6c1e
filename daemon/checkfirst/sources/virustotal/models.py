"""The parts of VirusTotal's answers that are used, read from hostile JSON.

Fields that nobody needs are ignored whatever they hold. A field that is needed and cannot be read
counts as absent, so that it can never help to clear a file; what absence means is judged elsewhere.
Shapes: docs.virustotal.com/reference, and recordings of real traffic, which vary between years.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

UNREADABLE = -1
"""Stands for a count that is no number; it is no opinion, and it is not nought either."""

_LARGEST = 2**53
_MOST_DIGITS = 16


def _whole(value: object) -> int | None:
    """Read a number as JSON may bring it: 5, 5.0, "5"."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        value = (
            int(text) if len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit() else None
        )
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None  # false for inf and nan
    return value if isinstance(value, int) and 0 <= value <= _LARGEST else None


def _text(value: object) -> str | None:
    """Read a string; numbers pass too, as one recorded analysis has an integer for its id."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _stats(value: object) -> dict[str, int] | None:
    """Read a tally. One that does not tell how many call the file malicious tells nothing."""
    if not isinstance(value, dict) or "malicious" not in value:
        return None
    return {
        str(key): UNREADABLE if (count := _whole(one)) is None else count
        for key, one in value.items()
    }


Whole = Annotated[int | None, BeforeValidator(_whole)]
Text = Annotated[str | None, BeforeValidator(_text)]
Stats = Annotated[dict[str, int] | None, BeforeValidator(_stats)]
Object = Annotated[Mapping[str, object], BeforeValidator(_object)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


def _part(model: type[_Part]) -> BeforeValidator:
    """Anything but an object counts as an empty one."""
    return BeforeValidator(lambda value: model.model_validate(_object(value)))


class FileAttributes(_Part):
    """What a file object says of the file."""

    sha256: Text = None
    first_submission_date: Whole = None
    last_analysis_date: Whole = None
    last_analysis_stats: Stats = None
    last_analysis_results: Object = {}


class FileObject(_Part):
    """`data` of GET /files/{id}."""

    id: Text = None
    type: Text = None
    attributes: Annotated[FileAttributes, _part(FileAttributes)] = FileAttributes()


class AnalysisAttributes(_Part):
    """What an analysis says."""

    date: Whole = None
    status: Text = None
    stats: Stats = None
    results: Object = {}


class AnalysisObject(_Part):
    """`data` of GET /analyses/{id} and, without attributes, of an upload's answer."""

    id: Text = None
    type: Text = None
    attributes: Annotated[AnalysisAttributes, _part(AnalysisAttributes)] = AnalysisAttributes()


class FileInfo(_Part):
    """`meta.file_info` of an analysis."""

    sha256: Text = None


class Meta(_Part):
    """`meta`, which stands beside `data` and not inside it."""

    file_info: Annotated[FileInfo, _part(FileInfo)] = FileInfo()


class FileEnvelope(_Part):
    """The whole of GET /files/{id}."""

    data: FileObject


class AnalysisEnvelope(_Part):
    """The whole of GET /analyses/{id} or of an upload's answer."""

    data: AnalysisObject
    meta: Annotated[Meta, _part(Meta)] = Meta()


class UrlEnvelope(_Part):
    """The whole of GET /files/upload_url."""

    data: str


class Spending(_Part):
    """What may be asked in one span, and what was."""

    allowed: Whole = None


class Shares(_Part):
    """One span of an account: its own, and that of the group it belongs to."""

    user: Annotated[Spending, _part(Spending)] = Spending()
    group: Annotated[Spending, _part(Spending)] = Spending()


class Quotas(_Part):
    """`data` of GET /users/{id}/overall_quotas; the minute is not told."""

    api_requests_hourly: Annotated[Shares, _part(Shares)] = Shares()
    api_requests_daily: Annotated[Shares, _part(Shares)] = Shares()
    api_requests_monthly: Annotated[Shares, _part(Shares)] = Shares()


class QuotasEnvelope(_Part):
    """The whole of GET /users/{id}/overall_quotas."""

    data: Quotas


class ErrorBody(_Part):
    """`error` of an answer that is none."""

    code: str
    message: Text = None


class ErrorEnvelope(_Part):
    """The whole of an error."""

    error: ErrorBody


def threats(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give (engine, name of the threat) of all results that condemn, by engine."""
    found = []
    for engine, result in sorted(results.items()):
        if isinstance(result, dict) and result.get("category") in {"malicious", "suspicious"}:
            named = result.get("result")
            found.append((engine, named if isinstance(named, str) and named else "no name given"))
    return found
