"""Figures drawn from results alone, all in one style."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

#: Colours that the colour-blind tell apart (Okabe and Ito, 2008).
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")

STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def axes(columns: int = 1, rows: int = 1, *, width: float = 3.4, height: float = 2.8) -> tuple[Any, Any]:
    """A figure and its axes as an array (rows, columns); inches per panel."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update(STYLE)
    return pyplot.subplots(rows, columns, figsize=(width * columns, height * rows), squeeze=False)


def save(figure: Any, folder: Path, name: str) -> None:
    """folder/figures/name.png, for the pages to show."""
    from matplotlib import pyplot

    path = folder / "figures" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, metadata={"Software": None})
    pyplot.close(figure)


def points(
    axis: Any, groups: dict[str, Iterable[float]], *, colour: str = COLOURS[0], floor: float | None = None
) -> None:
    """Every seed as a point, a line at the mean, a column per group; with `floor` a logarithmic axis."""
    for i, values in enumerate(groups.values()):
        seen = [value if floor is None else max(value, floor) for value in values]
        axis.plot([i] * len(seen), seen, "o", color=colour, alpha=0.6, markersize=5)
        axis.hlines(sum(seen) / len(seen), i - 0.25, i + 0.25, color=colour)
    axis.set_xticks(range(len(groups)), list(groups), rotation=30, ha="right")
    axis.set_xlim(-0.5, len(groups) - 0.5)
    if floor is not None:
        axis.set_yscale("log")


def curves(axis: Any, groups: dict[str, list[tuple[list[float], list[float]]]]) -> None:
    """Per group a colour, per seed a thin line, and the mean of those that share their x thick."""
    for i, (name, seeds) in enumerate(groups.items()):
        colour = COLOURS[i % len(COLOURS)]
        for x, y in seeds:
            axis.plot(x, y, color=colour, alpha=0.35, linewidth=0.8)
        x = seeds[0][0]
        if all(other == x for other, _ in seeds):
            means = [sum(ys) / len(ys) for ys in zip(*(y for _, y in seeds), strict=True)]
            axis.plot(x, means, color=colour, label=name)
    axis.legend()
