"""The figure of an overlap: the map of taps, and the taps of each phase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from uncheck.advising import summarise
from uncheck.reporting.page import Report
from uncheck.reporting.plots.figures import BLUE, PERIODS, figure_of, legend_below, new_figure

#: Pixels of a map that are drawn per axis, its middle; and counts with a colour each.
MOST, FEW = 48, 16


def draw(report: Report, pixels: Mapping[str, Any], ax: Axes | None = None) -> Figure:
    """Return the figure; with `ax` the map alone."""
    if ax is not None:
        _map(ax, pixels["taps"])
        return figure_of(ax)
    figure = new_figure(9.0, 4.2, summarise(report).what)
    left, right = figure.subplots(1, 2)
    _map(left, pixels["taps"])
    _phases(right, pixels["axis_taps"])
    return figure


def _map(ax: Axes, taps: Any) -> None:
    starts = [max(0, (n - MOST) // 2) for n in taps.shape]
    shown = taps[tuple(slice(start, start + MOST) for start in starts)]
    ends = [start + n for start, n in zip(starts, shown.shape, strict=True)]
    cropped = shown.size < taps.size
    ax.set_title(f"Taps of each output pixel{', middle of the map' if cropped else ''}", fontsize=10)
    if shown.ndim == 1:
        ax.bar(np.arange(starts[0], ends[0]), shown, 0.9, color=BLUE)
        ax.set(xlabel="output sample", ylabel="taps")
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        return
    extent = (starts[1] - 0.5, ends[1] - 0.5, ends[0] - 0.5, starts[0] - 0.5)
    counts = np.unique(shown)
    norm = None
    if len(counts) <= FEW:
        # A colour for each count that there is.
        middles = (counts[1:] + counts[:-1]) / 2
        norm = BoundaryNorm([counts[0] - 0.5, *middles, counts[-1] + 0.5], 256)
    drawn = ax.imshow(shown, cmap="cividis", norm=norm, extent=extent, interpolation="nearest")
    ax.set(xlabel="output column", ylabel="output row")
    ticks = list(counts) if norm else MaxNLocator(integer=True)
    colours = figure_of(ax).colorbar(drawn, ax=ax, label="taps", ticks=ticks, shrink=0.85)
    colours.ax.minorticks_off()


def _phases(ax: Axes, axis_taps: Any) -> None:
    """Draw the taps of each phase per axis; axes that are alike are drawn once."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for axis, taps in enumerate(axis_taps):
        alike.setdefault(tuple(taps[:MOST]), []).append(axis)
    width = 0.8 / len(alike)
    for i, (taps, axes) in enumerate(alike.items()):
        places = np.arange(len(taps)) + (i - (len(alike) - 1) / 2) * width
        label = f"axis {', '.join(map(str, axes))}" if len(axes) == 1 else f"axes {', '.join(map(str, axes))}"
        drawn = ax.bar(places, taps, width * 0.92, color=PERIODS[i], label=label)
        if len(taps) <= FEW:
            ax.bar_label(drawn, padding=2, fontsize=8)
    ax.set(xlabel="phase (output index modulo the period)", ylabel="taps along the axis")
    several = "; axes multiply" if len(axis_taps) > 1 else ""
    ax.set_title(f"Taps of each phase{several}", fontsize=10)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(y=0.12)
    ax.spines[["top", "right"]].set_visible(False)
    if len(axis_taps) > 1:
        legend_below(ax)
