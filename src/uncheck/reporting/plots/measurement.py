"""The figure of a measurement: the map over the picture, or strengths against what would have been found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lcm
from pathlib import PurePath
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from uncheck.advising import summarise
from uncheck.advising.visibility import threshold
from uncheck.reporting.page import Report, levels, sizes
from uncheck.reporting.plots.figures import (
    BLUE,
    GREEN,
    GREY,
    RED,
    colours_of,
    figure_of,
    grey_level_axis,
    legend_below,
    name_on_axis,
    new_figure,
)

#: Pictures that are drawn, the strongest first.
MOST = 20

_VERDICTS = {"lattice": RED, "blocks": RED, "rival": BLUE, "clean": GREEN}


def draw(report: Report, pixels: Mapping[str, Any], ax: Axes | None = None) -> Figure:
    """Return the figure; with `ax` its one panel, or the map alone."""
    one = _one(report)
    mapped = _map(report, pixels)
    if ax is None:
        rows = 1 if one else min(MOST, len(report["images"]))
        figure: Figure = new_figure(
            10.5 if mapped else 7.5, max(4.2, 1.6 + 0.24 * rows), summarise(report).what
        )
        panels = figure.subplots(1, 2 if mapped else 1, squeeze=False)[0]
    else:
        figure, panels = figure_of(ax), np.array([ax])
    if mapped:
        _draw_map(panels[0], mapped, pixels["picture"])
    if not mapped or len(panels) > 1:
        (_periods(panels[-1], one) if one else _pictures(panels[-1], report["images"]))
    return figure


def _one(report: Report) -> Report | None:
    """Return the set, or the only signal; None where there are several."""
    if "set" in report:
        found: Report = report["set"]
        return found
    return report["images"][0] if len(report["images"]) == 1 else None


def _map(report: Report, pixels: Mapping[str, Any]) -> Report | None:
    """Return the map of the strongest period."""
    if "picture" not in pixels:
        return None
    maps = report["images"][pixels.get("index", 0)]["where"]["maps"]
    return next((one for one in maps if one["regions"]), None)


def _draw_map(ax: Axes, found: Report, picture: Any) -> None:
    ax.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    amplitude = np.ma.masked_where(~np.asarray(found["significant"]), np.asarray(found["amplitude"]))
    # Window (i, j) is centred at pixel ((i + 1) stride, (j + 1) stride).
    stride, (rows, columns) = found["stride"], amplitude.shape
    extent = (stride / 2, (columns + 0.5) * stride, (rows + 0.5) * stride, stride / 2)
    drawn = ax.imshow(
        amplitude, cmap="plasma", alpha=0.55, vmin=0, extent=extent, interpolation="nearest", zorder=2
    )
    for region in found["regions"]:
        y0, x0, y1, x1 = region["box"]
        frame = Rectangle((x0 - 0.5, y0 - 0.5), x1 - x0, y1 - y0, fill=False, edgecolor="white", zorder=3)
        ax.add_patch(frame)
    ax.set(xlim=(-0.5, picture.shape[1] - 0.5), ylim=(picture.shape[0] - 0.5, -0.5))
    ax.set_title(
        f"Where period {sizes(found['period'])} is: {found['share']:.0%} of the picture", fontsize=10
    )
    ax.set(xlabel="column (pixels)", ylabel="row (pixels)")
    figure_of(ax).colorbar(drawn, ax=ax, label="grey levels of 255", shrink=0.8)


def _periods(ax: Axes, one: Report) -> None:
    """Draw what was found at each period, and for the others what would have been found."""
    sound = one.get("kind") == "audio"
    found = [(c, RED, "lattice") for c in one["lattice"]] + [
        (c, GREY, "trace, below the threshold") for c in one["traces"]
    ]
    limits = [limit for limit in one["limit"] if not sound or "db" in limit]
    key = "db" if sound else "amplitude"
    found = [each for each in found if key in each[0]]
    values = [c[key] for c, _, _ in found] + [limit[key] for limit in limits]
    periods = sorted({lcm(*c["period"]) for c in [*(c for c, _, _ in found), *limits]})
    place = {period: i for i, period in enumerate(periods)}
    eye = [] if sound else [threshold([period]) for period in periods]
    ends = min([*values, *eye], default=0.1), max([*values, *eye], default=1.0)
    base = ends[0] - 10
    if not sound:
        base = grey_level_axis(ax, "y", *ends)
    for label in dict.fromkeys(label for _, _, label in found):
        own = [(c, colour) for c, colour, name in found if name == label]
        at = [place[lcm(*c["period"])] for c, _ in own]
        drawn = ax.bar(at, [c[key] - base for c, _ in own], 0.7, bottom=base, color=own[0][1], label=label)
        words = [f"{c[key]:.0f}" if sound else levels(c[key]) for c, _ in own]
        if len(periods) <= MOST:
            ax.bar_label(drawn, words, padding=2, fontsize=8)
    at = [place[lcm(*limit["period"])] for limit in limits]
    ax.scatter(
        at, [limit[key] for limit in limits], marker="v", color=BLUE, zorder=3,
        label="not found; 95 % sure from here on",
    )  # fmt: skip
    if sound:
        ax.set_ylabel("level (dB against the rest)")
    else:
        ax.plot(range(len(periods)), eye, color="black", linestyle=":", label="just seen on flat grey")
        ax.set_ylabel("amplitude (grey levels of 255)")
    ax.set_xlabel(f"period ({'samples' if sound else 'pixels'})")
    step = max(1, len(periods) // MOST)
    ax.set(xticks=range(0, len(periods), step), xticklabels=periods[::step])
    ax.spines[["top", "right"]].set_visible(False)
    legend_below(ax, columns=2)


def _names(images: Sequence[Report]) -> list[str]:
    """Return the names of pictures, without the folder that all lie in."""
    folders = {str(PurePath(image["path"]).parent) for image in images}
    alone = len(folders) == 1
    return [name_on_axis(PurePath(i["path"]).name if alone else i["path"]) for i in images]


def _pictures(ax: Axes, images: Sequence[Report]) -> None:
    """Draw the strength of each component of each picture, and what each clean one could hide."""
    sound = any(image["kind"] == "audio" for image in images)
    key = "db" if sound else "amplitude"

    def strongest(image: Report) -> float:
        return max((c[key] for c in image["lattice"] if key in c), default=-np.inf)

    order = sorted(images, key=strongest, reverse=True)
    shown, left_out = order[:MOST], len(order) - MOST
    colours = colours_of(sorted(c["period"] for image in shown for c in image["lattice"]))
    values, named = [], set()
    for row, image in enumerate(shown):
        for c in (c for c in image["lattice"] if key in c):
            label = f"period {sizes(c['period'])}"
            ax.scatter(
                c[key],
                row,
                s=45,
                color=colours[tuple(c["period"])],
                label=label if label not in named else None,
            )
            named.add(label)
            values.append(c[key])
        worst = max((limit[key] for limit in image["limit"] if key in limit), default=None)
        if worst is not None and not image["lattice"]:
            label = "none found; the worst that could hide"
            ax.scatter(worst, row, marker="<", color=GREY, label=label if label not in named else None)
            named.add(label)
            values.append(worst)
    ax.set(yticks=range(len(shown)), ylim=(len(shown) - 0.5, -0.5))
    for tick, image in zip(ax.set_yticklabels(_names(shown)), shown, strict=True):
        tick.set_color(_VERDICTS[image["verdict"]])
    if sound:
        ax.set_xlabel("level (dB against the rest)")
    else:
        ax.set_xlabel("amplitude (grey levels of 255)")
        grey_level_axis(ax, "x", min(values, default=0.1), max(values, default=1.0))
    ax.grid(axis="y", color="#DDDDDD", linewidth=0.5)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    if left_out > 0:
        ax.set_title(f"The strongest {MOST} of {len(order)}", fontsize=10)
    if named:
        legend_below(ax)
