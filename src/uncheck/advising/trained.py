"""Sentences on the curve of a training run."""

from __future__ import annotations

from uncheck.advising.fault import Report
from uncheck.words import levels

_VERDICTS = {
    "clean": "Clean",
    "fading": "The grid fades",
    "will not fade": "The grid will not fade",
    "too early": "Too early to tell whether the grid fades",
}


def what(report: Report) -> str:
    """Return the verdict in one sentence.

    >>> what({"verdict": "too early", "now": None, "at_end": None, "end": 400.0, "count": 3})
    'Too early to tell whether the grid fades: 3 measurements in the second half of the curve.'
    """
    verdict = _VERDICTS[report["verdict"]]
    if report["at_end"] is None or report["at_end_interval"] is None:
        return f"{verdict}: {report['count']} measurements in the second half of the curve."
    low, high = (levels(one) for one in report["at_end_interval"])
    return (
        f"{verdict}: {levels(report['now'])} of 255 grey levels now, {levels(report['at_end'])} "
        f"({low} to {high}) expected at step {report['end']:.0f}."
    )


def why(report: Report) -> str:
    """Return what the verdict rests on."""
    if report["slope"] is None:
        return ""
    return (
        f"The strength goes with step^{report['slope']:.2f} over the last {report['count']} measurements; "
        f"from {levels(report['visible'])} grey levels on a grid counts."
    )


def todo(report: Report) -> str:
    """Return what to do."""
    return {
        "clean": "Nothing to do.",
        "fading": "Nothing to do: train on, and look again.",
        "will not fade": "Find the layer with `uncheck.inspect(model, example_input)`, and exchange it: "
        "`model = uncheck.swap(model, example_input).model`.",
        "too early": "Train on, and look again.",
    }[report["verdict"]]
