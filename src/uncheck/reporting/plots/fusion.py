"""The figure of a fusion: multiplications before and after, and how far the outputs differ."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from uncheck.advising import summarise
from uncheck.reporting.page import Report
from uncheck.reporting.plots.figures import (
    BLUE,
    GREEN,
    ORANGE,
    bars,
    figure_of,
    name_on_axis,
    new_figure,
    wrapped,
)

#: Layers that are drawn, the first ones.
MOST = 16

#: Refusals that are named where nothing was fused.
MOST_REASONS = 3

#: Differences below this are drawn there.
LEAST = 1e-10


def draw(report: Report, pixels: Mapping[str, Any], ax: Axes | None = None) -> Figure:
    """Return the figure; with `ax` the multiplications alone."""
    if ax is not None:
        _work(ax, report)
        return figure_of(ax)
    if not report["fused"]:
        figure = new_figure(7.0, 3.0, summarise(report).what)
        _work(figure.subplots(), report)
        return figure
    figure = new_figure(9.0, max(3.6, 2.2 + 0.45 * min(MOST, len(report["fused"]))), summarise(report).what)
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    _work(left, report)
    _difference(right, report["difference"])
    return figure


def multiplications(one: Report) -> tuple[int, int]:
    """Return the multiplications per input pixel and pair of channels, before and after.

    A resize by s and a convolution with k taps take s k along an axis. Fused, the kernel is the convolution's
    with the hold of the resize: k + s - 1 taps where it repeats pixels; a linear resize has 2 s - 1 taps (2 s
    where s is even).

    >>> multiplications({"factor": [2, 2], "kernel_size": [3, 3], "mode": "nearest"})
    (36, 16)
    """
    pairs = list(zip(one["factor"], one["kernel_size"], strict=True))
    before = prod(round(s) * k for s, k in pairs)
    hold = [round(s) if one["mode"] == "nearest" else 2 * round(s) - round(s) % 2 for s, _ in pairs]
    return before, prod(k + h - 1 for (_, k), h in zip(pairs, hold, strict=True))


def _work(ax: Axes, report: Report) -> None:
    fused = report["fused"][:MOST]
    if not fused:
        reasons = [f"{one['resize']}: {one['reason']}" for one in report["refused"][:MOST_REASONS]]
        said = "\n".join(wrapped(one, 6) for one in reasons) or "no resize was fused"
        ax.text(0.5, 0.5, said, ha="center", va="center", transform=ax.transAxes, fontsize=9)
        ax.set_axis_off()
        return
    before, after = zip(*map(multiplications, fused), strict=True)
    names = [f"{name_on_axis(one['resize'])}\n+ {name_on_axis(one['conv'])}" for one in fused]
    values = {"resize, then convolution": (ORANGE, before), "one layer": (BLUE, after)}
    bars(ax, names, values, "multiplications per input pixel and pair of channels")
    rest = len(report["fused"]) - MOST
    ax.set_title(f"Work of each layer{f'; {rest} more are not drawn' if rest > 0 else ''}", fontsize=10)


def _difference(ax: Axes, difference: Report) -> None:
    values = [max(difference["relative"], LEAST), difference["allowed"]]
    drawn = ax.bar(["measured", "allowed"], values, 0.6, color=[GREEN, "#BBBBBB"])
    ax.bar_label(drawn, [f"{difference['relative']:.1g}", f"{values[1]:.1g}"], padding=2, fontsize=8)
    ax.set_yscale("log")
    ax.set(ylim=(LEAST / 3, max(values) * 10), ylabel="of the output's largest value")
    ax.set_title("Difference of the outputs", fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
