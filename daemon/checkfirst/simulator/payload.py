"""The JSON of the API, in the shapes that were recorded from the real service.

Values in, dictionaries out; nothing here knows of requests or replies.
"""

from collections.abc import Mapping

from checkfirst.simulator.known import EngineResult, KnownFile, tally
from checkfirst.simulator.state import Analysis

Json = dict[str, object]
GUI = "https://www.virustotal.com/gui"


def gui_file(sha256: str) -> str:
    """Where a person reads a file's report."""
    return f"{GUI}/file/{sha256}"


def gui_analysis(analysis_id: str) -> str:
    """Where a person watches a running analysis."""
    return f"{GUI}/file-analysis/{analysis_id}"


def file_object(file: KnownFile, api: str) -> Json:
    """The answer to GET /files/{id}: no `meta`; what was never finished has no date."""
    attributes = _attributes(file)
    for name in file.without:
        attributes.pop(name, None)
    attributes.update(file.extra)
    return {
        "data": {
            "id": file.sha256,
            "type": "file",
            "links": {"self": f"{api}/files/{file.sha256}"},
            "attributes": attributes,
        }
    }


def analysis_object(analysis: Analysis, monotonic: float, api: str) -> Json:
    """The answer to GET /analyses/{id}: `meta` is at the top level, the report in links.item."""
    file = analysis.result
    results = analysis.results(monotonic)
    return {
        "meta": {
            "file_info": {
                "sha256": file.sha256,
                "sha1": file.sha1,
                "md5": file.md5,
                "size": file.size,
            }
        },
        "data": {
            "id": analysis.id,
            "type": "analysis",
            "links": {
                "self": f"{api}/analyses/{analysis.id}",
                "item": f"{api}/files/{file.sha256}",
            },
            "attributes": {
                "date": analysis.date,
                "status": analysis.stage(monotonic).value,
                "stats": tally(results),
                "results": _results(results),
            },
        },
    }


def analysis_descriptor(analysis: Analysis, api: str) -> Json:
    """The answer to an upload or a re-scan: no attributes."""
    links = {"self": f"{api}/analyses/{analysis.id}"}
    return {"data": {"type": "analysis", "id": analysis.id, "links": links}}


def user_object(user: str, usage: Mapping[str, Mapping[str, int]], api: str) -> Json:
    """The answer to GET /users/{id}: quotas in the flat form."""
    return {
        "data": {
            "id": user,
            "type": "user",
            "links": {"self": f"{api}/users/{user}"},
            "attributes": {"status": "active", "quotas": dict(usage)},
        }
    }


def overall_quotas(usage: Mapping[str, Mapping[str, int]]) -> Json:
    """The answer to GET /users/{id}/overall_quotas for a user without a group."""
    return {"data": {name: {"user": dict(row)} for name, row in usage.items()}}


def _attributes(file: KnownFile) -> Json:
    stats = file.stats
    attributes: Json = {
        "sha256": file.sha256,
        "sha1": file.sha1,
        "md5": file.md5,
        "size": file.size,
        "type_description": file.type_description,
        "type_tag": file.type_tag,
        "tags": list(file.tags),
        "names": list(file.names),
        "reputation": file.reputation,
        "total_votes": {"harmless": 0, "malicious": 0},
        "times_submitted": 1,
        "unique_sources": 1,
        "first_submission_date": file.first_submission_date,
        "last_submission_date": file.first_submission_date,
        "last_modification_date": file.last_analysis_date or file.first_submission_date,
        "last_analysis_stats": stats,
        "last_analysis_results": _results(file.results),
    }
    if file.names:
        attributes["meaningful_name"] = file.names[0]
    if file.last_analysis_date is not None:
        attributes["last_analysis_date"] = file.last_analysis_date
        attributes["threat_severity"] = {
            "version": 5,
            "threat_severity_level": "SEVERITY_HIGH" if stats["malicious"] else "SEVERITY_NONE",
            "threat_severity_data": {},
            # A string here, unlike everywhere else.
            "last_analysis_date": str(file.last_analysis_date),
            "level_description": "Made up by a simulator",
        }
    if stats["malicious"]:
        count = stats["malicious"]
        attributes["popular_threat_classification"] = {
            "suggested_threat_label": "trojan.generic/simulated",
            "popular_threat_category": [{"value": "trojan", "count": count}],
            "popular_threat_name": [{"value": "generic", "count": count}],
        }
    return attributes


def _results(results: Mapping[str, EngineResult]) -> Json:
    return {
        engine: {
            "category": result.category,
            "engine_name": engine,
            "engine_version": "1.0",
            "engine_update": "20261101",
            "method": "blacklist",
            "result": result.result,
        }
        for engine, result in results.items()
    }
