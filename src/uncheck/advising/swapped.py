"""Sentences on a network whose upsamplers were exchanged."""

from __future__ import annotations

from uncheck.advising.fault import Report
from uncheck.words import plural


def what(report: Report) -> str:
    """Return how many were exchanged and how many not.

    >>> what({"swapped": [], "refused": []})
    'Nothing to swap: no transposed convolution upsamples.'
    """
    swapped, refused = len(report["swapped"]), len(report["refused"])
    if not swapped and not refused:
        return "Nothing to swap: no transposed convolution upsamples."
    if not refused:
        return f"Swapped: {plural(swapped, 'transposed convolution')}, and none was refused."
    every = plural(swapped + refused, "transposed convolution")
    return f"Swapped: {swapped or 'none'} of {every}; {refused} refused."


def why(report: Report) -> str:
    """Return the first reason of a refusal."""
    first = next(iter(report["refused"]), None)
    return f"`{first['path']}`: {first['reason'].rstrip('.')}." if first else ""


def todo(report: Report) -> str:
    """Return what to do."""
    if not report["swapped"]:
        return "Nothing to do."
    return "Train on with `result.model`: it starts from the weights of the old layers."
