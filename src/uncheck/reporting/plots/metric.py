"""The figure of a `LatticeMetric`: bars of one result, curves of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from uncheck.reporting.page import chance, levels
from uncheck.reporting.plots.figures import BLUE, GREY, PERIODS, RED, figure_of, new_figure

_STRENGTH, _P_VALUE = "strength_", "p_value_"

#: Corrected p-value below which a period counts.
SIGNIFICANCE = 1e-3


def draw(values: Mapping[str, float] | Sequence[Mapping[str, float]], ax: Axes | None) -> tuple[Figure, Axes]:
    """Return figure and axes, as torchmetrics does."""
    if ax is None:
        figure: Figure = new_figure(6.0, 3.8, "Lattice that all images share")
        ax = figure.subplots()
    else:
        figure = figure_of(ax)
    if isinstance(values, Mapping):
        _bars(ax, values)
    else:
        _curves(ax, values)
    ax.spines[["top", "right"]].set_visible(False)
    return figure, ax


def _bars(ax: Axes, values: Mapping[str, float]) -> None:
    """Draw the amplitude of each period, with its p-value, beside the strength of all and the mean."""
    periods = [name.removeprefix(_STRENGTH) for name in values if name.startswith(_STRENGTH)]
    names = ["all", *(f"period {p}" for p in periods), "mean of\nsingle images"]
    amounts = [values["strength"], *(values[_STRENGTH + p] for p in periods), values["mean_strength"]]
    chances = [values[_P_VALUE + p] for p in periods]
    colours = [BLUE, *(RED if p <= SIGNIFICANCE else GREY for p in chances), GREY]
    drawn = ax.bar(names, amounts, 0.7, color=colours)
    words = ["", *(f"\np = {chance(p)}" for p in chances), ""]
    texts = [f"{levels(amount)}{word}" for amount, word in zip(amounts, words, strict=True)]
    ax.bar_label(drawn, texts, padding=2, fontsize=8)
    ax.set(ylabel="grey levels of 255", ylim=(0, 1.25 * max(*amounts, 0.1)))


def _curves(ax: Axes, values: Sequence[Mapping[str, float]]) -> None:
    names = [name for name in values[0] if name.startswith(_STRENGTH)] if values else []
    lines = {"strength": "all"} | {name: f"period {name.removeprefix(_STRENGTH)}" for name in names}
    for i, (name, label) in enumerate(lines.items()):
        colour = "black" if i == 0 else PERIODS[(i - 1) % len(PERIODS)]
        ax.plot([one[name] for one in values], "o-", markersize=4, color=colour, label=label)
    ax.set(xlabel="result", ylabel="grey levels of 255")
    ax.set_ylim(bottom=0)
    ax.legend(fontsize=8, frameon=False)
