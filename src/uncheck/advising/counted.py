"""Faults and sentences of counted overlaps."""

from __future__ import annotations

from uncheck.advising.fault import Fault, Report
from uncheck.advising.request import Request
from uncheck.words import sizes


def faults(report: Report, request: Request) -> list[Fault]:
    """Return the fault of an uneven overlap."""
    return [] if report["even"] else [Fault("uneven-overlap", what(report), report, request)]


def what(report: Report) -> str:
    """Return the verdict in one sentence."""
    if report["even"]:
        return "Even: every output pixel away from the border gets the same number of taps."
    if report["ratio"] is None:
        return f"Uneven: some output pixels get no tap at all; period {sizes(report['period'])}."
    return (
        f"Uneven: some output pixels get {report['ratio']:.4g} times the taps of others; period "
        f"{sizes(report['period'])}."
    )


def why(report: Report) -> str:
    """Return the rule."""
    return "" if report["even"] else "The kernel is not divisible by the stride."


def nothing(report: Report) -> str:
    """Return what to do where there is no advice."""
    return "Nothing to do about the sizes; trained weights can still be uneven: `uncheck inspect` looks."
