"""Faults and sentences of a fusion."""

from __future__ import annotations

from uncheck.advising.fault import Fault, Report
from uncheck.advising.request import Request
from uncheck.words import plural


def faults(report: Report, request: Request) -> list[Fault]:
    """Return a fault for each resize that was not fused."""
    return [
        Fault("not-fused", f"{one['resize']}: {one['reason']}", report, request) for one in report["refused"]
    ]


def what(report: Report) -> str:
    """Return how many were fused and how many not."""
    fused, refused = len(report["fused"]), len(report["refused"])
    if not fused and not refused:
        return "Nothing to fuse: no resize makes an axis longer."
    if not refused:
        return f"Fused: {plural(fused, 'resize')}, and none was refused."
    return f"Fused: {fused or 'none'} of {plural(fused + refused, 'resize')}; {refused} refused."


def why(report: Report) -> str:
    """Return the first reason of a refusal."""
    return f"{report['refused'][0]['reason']}." if report["refused"] else ""


def nothing(report: Report) -> str:
    """Return what to do where there is no advice."""
    return "Nothing to do: the fused network computes the same." if report["fused"] else "Nothing to do."
