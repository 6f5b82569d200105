"""The figure of a training run: strength over steps, where it goes, and from where on it is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from uncheck.advising import trained
from uncheck.reporting.page import Report
from uncheck.reporting.plots.figures import (
    BLUE,
    ORANGE,
    RED,
    figure_of,
    grey_level_axis,
    legend_below,
    new_figure,
    wrapped,
)

#: Measurements of no lattice are drawn here, grey levels.
FLOOR = 0.01

#: From an end so many times as far as the last step on, steps are drawn logarithmic.
FAR = 2.0


def draw(report: Report, pixels: Mapping[str, Any], ax: Axes | None = None) -> Figure:
    """Return the figure."""
    title = trained.what(report)
    if ax is None:
        figure: Figure = new_figure(7.5, 4.4, title)
        ax = figure.subplots()
    else:
        figure = figure_of(ax)
        ax.set_title(wrapped(title, 6), fontsize=9)
    steps = np.asarray(pixels["steps"], float)
    strengths = np.maximum(np.asarray(pixels["strengths"], float), FLOOR)
    visible, end = report["visible"], report["end"]
    if len(steps):
        ax.plot(steps, strengths, "o-", color=BLUE, markersize=4, linewidth=1.2, label="measured")
    shown = [*strengths, visible]
    if report["at_end"] is not None and len(steps):
        low, high = (max(one, FLOOR) for one in report["at_end_interval"])
        expected = max(report["at_end"], FLOOR)
        if end > steps[-1]:
            ahead = np.linspace(steps[-1], end, 50)
            now, then = np.log(max(report["now"], FLOOR)), np.log(expected)
            share = np.log(ahead / steps[-1]) / np.log(end / steps[-1])
            ax.plot(ahead, np.exp(now + share * (then - now)), "--", color=ORANGE, label="if it goes on")
        error = [[max(0.0, expected - low)], [max(0.0, high - expected)]]
        ax.errorbar(
            [end], [expected], np.asarray(error), fmt="D", color=ORANGE, capsize=4, markersize=5,
            label="expected at the end",
        )  # fmt: skip
        shown += [low, high]
    ax.axhline(visible, color=RED, linestyle=":", label=f"counts from {visible:g} on")
    grey_level_axis(ax, "y", min(shown), max(shown))
    ax.set(xlabel="step", ylabel="lattice (grey levels of 255)")
    if len(steps) and end > FAR * steps[-1]:
        # A power of the step is straight, and the curve is not squeezed to the left.
        ax.set_xscale("log")
        ax.set_xlim(steps[0] / 1.2, 1.2 * end)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        ax.set_xlim(0, 1.04 * max([end, *steps, 1]))

    ax.spines[["top", "right"]].set_visible(False)
    legend_below(ax, columns=4)
    return figure
