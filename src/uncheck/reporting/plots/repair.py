"""The figure of a repair: each period before and after, the output and its spectrum before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from uncheck.advising import summarise
from uncheck.advising.repaired import significant
from uncheck.reporting.page import Report, levels, sizes
from uncheck.reporting.pictures import CROP, MID_GREY, amplification
from uncheck.reporting.plots.figures import (
    BLUE,
    RED,
    figure_of,
    grey_level_axis,
    legend_below,
    new_figure,
    show_picture,
    show_spectrum,
    span_of,
    wrapped,
)

#: Periods that are drawn, the strongest first.
MOST = 8

#: Amplitudes below this are drawn there.
FLOOR = 0.001


def draw(report: Report, pixels: Mapping[str, Any], ax: Axes | None = None) -> Figure:
    """Return the figure; with `ax` the strengths before and after alone."""
    if ax is not None:
        _strengths(ax, report)
        return figure_of(ax)
    pictures = {"original", "repaired"} <= set(pixels) and pixels["original"].ndim == 3
    spectra = {"original spectrum", "repaired spectrum"} <= set(pixels)
    figure = new_figure(11, 7.6 if pictures else 4.2, summarise(report).what)
    parts = figure.subfigures(2 if pictures else 1, 1, squeeze=False)
    panels = parts[0, 0].subplots(1, 3 if spectra else 1, squeeze=False)[0]
    _strengths(panels[0], report)
    if spectra:
        periods = [one["period"] for one in significant(report["before"])]
        both = {"before": pixels["original spectrum"], "after": pixels["repaired spectrum"]}
        for ax, (name, spectrum) in zip(panels[1:], both.items(), strict=True):
            span = span_of(list(both.values()))
            show_spectrum(ax, spectrum, periods, title=f"Spectrum {name}", span=span, bar=False)
    if pictures:
        _crops(list(parts[1, 0].subplots(1, 3)), pixels)
    return figure


def _strengths(ax: Axes, report: Report) -> None:
    """Draw the amplitude of each period before and after."""
    before = (report["before"] or {}).get("lattice", [])[:MOST]
    if not before:
        reasons = "; ".join(one["reason"] for one in report["refused"]) or "no lattice was measured"
        ax.text(0.5, 0.5, wrapped(reasons, 4), ha="center", va="center", transform=ax.transAxes)
        ax.set_axis_off()
        return
    after = {tuple(one["period"]): one for one in (report["after"] or {}).get("lattice", [])}
    looks = {"before": (RED, before)}
    if report["after"] is not None:
        nothing = {"amplitude": 0.0, "significant": False}
        looks["after"] = (BLUE, [after.get(tuple(one["period"]), nothing) for one in before])
    width = 0.8 / len(looks)
    values = [max(one["amplitude"], FLOOR) for _, look in looks.values() for one in look]
    for i, (label, (colour, look)) in enumerate(looks.items()):
        at = np.arange(len(before)) + (i - (len(looks) - 1) / 2) * width
        heights = [max(one["amplitude"], FLOOR) for one in look]
        drawn = ax.bar(at, heights, width * 0.92, color=colour, label=label)
        marks = ["" if one["significant"] else "≤ " for one in look]
        words = [f"{mark}{levels(one['amplitude'])}" for mark, one in zip(marks, look, strict=True)]
        ax.bar_label(drawn, words, padding=2, fontsize=8)
    ax.set(xticks=range(len(before)), xticklabels=[sizes(one["period"]) for one in before])
    ax.set(xlabel="period (pixels)", ylabel="amplitude (grey levels of 255)")
    grey_level_axis(ax, "y", min(values), max(values) * 1.3)
    ax.set_title("Lattice on held-out inputs", fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
    if len(looks) > 1:
        legend_below(ax, 0.17)


def _crops(axes: list[Axes], pixels: Mapping[str, Any]) -> None:
    top, left = pixels["place"]
    cut = (slice(top, top + CROP), slice(left, left + CROP))
    before, after = pixels["original"][cut], pixels["repaired"][cut]
    factor = amplification(after - before)
    times = f", {factor} times as strong" if factor > 1 else ""
    show_picture(axes[0], before, "before")
    show_picture(axes[1], after, "after")
    show_picture(axes[2], MID_GREY + factor * (after - before), f"what changed{times}")
