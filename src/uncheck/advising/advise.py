"""From a report to its advice and its three lines."""

from __future__ import annotations

from typing import Any

from uncheck.advising import counted, fused, inspected, measured, repaired
from uncheck.advising.advice import Advice, Summary
from uncheck.advising.causes import CAUSES
from uncheck.advising.fault import Fault, Report
from uncheck.advising.request import Request
from uncheck.errors import UncheckError

_KINDS = {
    "uncheck.inspect": inspected,
    "uncheck.measure": measured,
    "uncheck.repair": repaired,
    "uncheck.fuse": fused,
    "uncheck.overlap": counted,
}


def advise(report: Report, request: Request | None = None) -> list[Advice]:
    """Return what to do about a result, cheapest cure first; empty where nothing is to be done.

    Args:
        report: the dictionary of a result of `inspect`, `measure`, `overlap`, `repair` or `fuse`.
        request: what the user gave, so that commands name the very target, weights and input.

    Raises:
        UncheckError: a dictionary of another kind.

    >>> from uncheck import overlap
    >>> [one.command or one.code for one in advise(overlap(3, 2).to_dict())][0]
    'uncheck overlap 4 2'
    """
    found: list[Advice] = []
    for fault in _kind(report).faults(report, request or Request()):
        found += [one for one in _cures(fault) if one not in found]
    return found


def advised(report: dict[str, Any], request: Request | None = None) -> dict[str, Any]:
    """Return a result's dictionary with its advice under the key `advice`."""
    return {**report, "advice": [one.to_dict() for one in advise(report, request)]}


def summarise(report: Report, request: Request | None = None) -> Summary:
    """Return what there is, why, and what to do first, a sentence each.

    Args:
        report: as for `advise`.
        request: likewise; where it is None and the report has its advice, that is taken.

    Raises:
        UncheckError: a dictionary of another kind.
    """
    kind = _kind(report)
    known = report.get("advice") if request is None else None
    advice = known if known is not None else [one.to_dict() for one in advise(report, request)]
    todo = _todo(advice[0]) if advice else kind.nothing(report)
    return Summary(kind.what(report), kind.why(report), todo)


def _kind(report: Report) -> Any:
    schema = str(report.get("schema", "")).partition("/")[0]
    if schema not in _KINDS:
        raise UncheckError(
            f"advice needs the to_dict() of a result of uncheck, not a dictionary of schema {schema!r}"
        )
    return _KINDS[schema]


def _cures(fault: Fault) -> list[Advice]:
    stage = fault.stage["name"] if fault.stage else ""
    made = []
    for cure in CAUSES[fault.cause].cures:
        command = cure.command(fault) if cure.command else None
        code = cure.code(fault) if cure.code else None
        if command is not None or code is not None:
            made.append(Advice(stage, fault.problem, cure.text, command, code, cure.keeps_weights, cure.cost))
    return made


def _todo(advice: Report) -> str:
    said = advice.get("command") or advice.get("code")
    return f"{advice['cure'][:1].upper()}{advice['cure'][1:]}: {said}"
