"""SARIF 2.1.0, which code scanning of GitHub, GitLab and editors read.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0 (2020).
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from uncheck.advising import explain
from uncheck.advising.causes import CAUSES
from uncheck.reporting.formats.findings import Finding, errors_of, find, kind_of
from uncheck.reporting.page import Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://github.com/uncheck/uncheck"


def sarif_text(report: Report, version: str) -> str:
    """Return a report as one SARIF run: a rule per cause, a result per finding, a notification per error.

    Args:
        report: the result's dictionary.
        version: of uncheck.
    """
    found = find(report)
    rules = list(dict.fromkeys(one.cause for one in found))
    driver = {
        "name": "uncheck",
        "version": version,
        "informationUri": HOME,
        "rules": [_rule(cause) for cause in rules],
    }
    errors = errors_of(report)
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"uncheck/{kind_of(report)}/"},
        "invocations": [
            {
                "executionSuccessful": not errors,
                "toolExecutionNotifications": [_notification(*one) for one in errors],
            }
        ],
        "results": [_result(one, rules.index(one.cause)) for one in found],
        "columnKind": "utf16CodeUnits",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, allow_nan=False)


def _rule(cause: str) -> dict[str, Any]:
    known = CAUSES[cause]
    page = explain(cause)
    return {
        "id": cause,
        "name": "".join(word.capitalize() for word in cause.split("-")),
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.meaning},
        "help": {"text": page, "markdown": page},
        "helpUri": f"{HOME}/blob/main/docs/ci.md",
    }


def _result(one: Finding, rule: int) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if one.file is not None:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": _uri(one.file)},
            "region": {"startLine": one.line or 1},
        }
    name = one.stage or one.subject
    location["logicalLocations"] = [
        {
            "name": name.rpartition(".")[2] or name,
            "fullyQualifiedName": f"{one.subject}/{one.stage}".rstrip("/"),
        }
        | ({"kind": "member"} if one.stage else {"kind": "module"})
    ]
    result: dict[str, Any] = {
        "ruleId": one.cause,
        "ruleIndex": rule,
        "level": one.level,
        "message": {"text": one.message},
        "locations": [location],
        # The same fault keeps its name though lines move.
        "partialFingerprints": {"uncheck/v1": f"{one.subject}:{one.stage}:{one.cause}"},
    }
    return result | ({"properties": {"greyLevels": one.strength}} if one.strength is not None else {})


def _notification(path: str, message: str) -> dict[str, Any]:
    where = {"physicalLocation": {"artifactLocation": {"uri": _uri(path)}}}
    return {"level": "error", "message": {"text": message}, "locations": [where]}


def _uri(path: str) -> str:
    """Return a path as a URI, relative where the path is."""
    pure = PurePath(path)
    return pure.as_uri() if pure.is_absolute() else quote(pure.as_posix())
