"""Faults and sentences of a repair."""

from __future__ import annotations

from uncheck.advising.fault import Fault, Report
from uncheck.advising.request import Request
from uncheck.advising.visibility import visibility
from uncheck.words import levels, listed_some, sizes


def faults(report: Report, request: Request) -> list[Fault]:
    """Return what is left to do: to load the repaired network, or what may help after a refusal."""
    if report["method"] is not None:
        return [Fault("repaired", what(report), report, request)]
    before = report["before"]
    if before is None or not _significant(before):
        return []
    return [Fault("refused", what(report), report, request)]


def what(report: Report) -> str:
    """Return what happened in one sentence."""
    before, after = report["before"], report["after"]
    if report["method"] is not None and before is not None and after is not None:
        fell = f"{levels(before['strength'])} to {levels(after['strength'])} grey levels"
        gone = "Grid gone" if not _significant(after) else "Grid weaker"
        return f"{gone}, by {report['method']}: {fell}."
    if before is None:
        return "Not repaired: the network could not be judged."
    found = _significant(before)
    if not found:
        return "Nothing to repair: the outputs show no grid."
    periods = listed_some([sizes(c["period"]) for c in found])
    return f"Not repaired: grid of period {periods}, {visibility(found)}, is left."


def why(report: Report) -> str:
    """Return why nothing was repaired."""
    if report["method"] is None and report["refused"]:
        return str(report["refused"][0]["reason"]).rstrip(".") + "."
    return ""


def nothing(report: Report) -> str:
    """Return what to do where there is no advice."""
    return "Nothing to do."


def _significant(look: Report) -> list[Report]:
    return [one for one in look["lattice"] if one["significant"]]
