"""The figure of an inspection: spectrum with the lines of the lattice, blame, and the lattice enlarged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from uncheck.advising import summarise
from uncheck.reporting.page import Report
from uncheck.reporting.pictures import CROP, MID_GREY, amplification
from uncheck.reporting.plots.figures import (
    GREY,
    RED,
    bars,
    figure_of,
    name_on_axis,
    new_figure,
    show_picture,
    show_spectrum,
)

#: Bars that are drawn: the stages to blame most.
MOST_BARS = 12

#: A stage with at least this share is coloured as guilty.
GUILTY = 0.1


def draw(report: Report, pixels: Mapping[str, Any], ax: Axes | None = None) -> Figure:
    """Return the figure; with `ax` the spectrum alone, or the blame where there is no spectrum."""
    if ax is not None:
        if "spectrum" in pixels:
            _spectrum(ax, report, pixels)
        else:
            _blame(ax, report)
        return figure_of(ax)
    crops = "lattice" in pixels and pixels["lattice"].any()
    figure = new_figure(10, 7.8 if crops else 4.4, summarise(report).what)
    parts = figure.subfigures(2 if crops else 1, 1, squeeze=False, height_ratios=[1.35, 1] if crops else None)
    panels = parts[0, 0].subplots(1, 2 if "spectrum" in pixels else 1, squeeze=False)[0]
    if "spectrum" in pixels:
        _spectrum(panels[0], report, pixels)
    _blame(panels[-1], report)
    if crops:
        _crops(list(parts[1, 0].subplots(1, 3)), pixels)
    return figure


def _spectrum(ax: Axes, report: Report, pixels: Mapping[str, Any]) -> None:
    periods, traces = ([one["period"] for one in report[name]] for name in ("lattice", "traces"))
    show_spectrum(ax, pixels["spectrum"], periods, traces=traces, title="Spectrum of the outputs")


def _blame(ax: Axes, report: Report) -> None:
    """Draw the share of each stage in forward order; where none is blamed, how uneven the gains are."""
    stages = report["stages"]
    blamed = any(stage["blame"] is not None for stage in stages)
    key = "blame" if blamed else "gain_spread"
    known = [stage for stage in stages if stage[key] is not None]
    if not known:
        said = "nothing is known of the upsampling stages" if stages else "no upsampling stages"
        ax.text(0.5, 0.5, said, ha="center", va="center", transform=ax.transAxes)
        ax.set_axis_off()
        return
    least = sorted((stage[key] for stage in known), reverse=True)[:MOST_BARS][-1]
    shown = [stage for stage in known if stage[key] >= least][:MOST_BARS]
    names = [f"{name_on_axis(stage['name'])}\n{stage['type'] or stage['kind']}" for stage in shown]
    values = [stage[key] for stage in shown]
    if not blamed:
        bars(ax, names, {"spread": (GREY, values)}, "spread of the gains: 0 even, 1 uneven")
        ax.set_title("Upsampling stages; no lattice to blame them for", fontsize=10)
        ax.set_xlim(0, 1.18)
        return
    bars(ax, names, {"blame": (GREY, [100 * v for v in values])}, "share of the lattice (%)", ".0f")
    for patch, value in zip(ax.patches, values, strict=True):
        patch.set_facecolor(RED if value >= GUILTY else GREY)
    ax.set_title("Which stage makes it", fontsize=10)
    ax.set_xlim(0, 118)


def _crops(axes: list[Axes], pixels: Mapping[str, Any]) -> None:
    top, left = pixels["place"]
    cut = (slice(top, top + CROP), slice(left, left + CROP))
    output, lattice = pixels["output"][cut], pixels["lattice"][cut]
    factor = amplification(lattice)
    times = f", {factor} times as strong" if factor > 1 else ""
    bottom, right = top + len(lattice) - 1, left + lattice.shape[1] - 1
    show_picture(axes[0], output, f"an output: rows {top}-{bottom}, columns {left}-{right}")
    show_picture(axes[1], output - lattice, "without its mean lattice")
    show_picture(axes[2], MID_GREY + factor * lattice, f"the lattice alone{times}")
