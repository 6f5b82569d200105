"""Figures of the GANs, from the results alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gan_verdicts import PERIODS, of
from lab.curves import late
from lab.figures import COLOURS, axes, curves, points, save
from lab.pictures import show

FLOOR = 0.01
PANELS = {
    "the article's three": ("two", "one", "none"),
    "other even overlap": ("k4", "sub-pixel", "ICNR"),
    "equal gains by construction": ("smooth", "order 2", "linear", "none"),
}


def shorts(results: dict[str, Any]) -> list[str]:
    return [network["short"] for network in results["config"]["networks"]]


def over_steps(rows: list[dict[str, Any]], names: tuple[str, ...], key: str, floor: float) -> dict[str, Any]:
    """Per network the curve of each seed; step 0 drawn at 1, where a logarithmic axis begins."""
    return {
        name: [([max(1, s) for s in r["steps"]], [max(floor, v) for v in r[key]]) for r in of(rows, name)]
        for name in names
    }


def strength(results: dict[str, Any], folder: Path) -> None:
    figure, panels = axes(len(PANELS), 2, height=2.5)
    for row, period in enumerate(PERIODS):
        for column, (title, names) in enumerate(PANELS.items()):
            panel = panels[row][column]
            curves(panel, over_steps(results["rows"], names, f"single_{period}", FLOOR))
            panel.axhline(results["config"]["visible"], color="grey", linestyle=":")
            panel.set(xscale="log", yscale="log", ylim=(FLOOR * 0.8, 100), title=f"{title}, period {period}")
            panel.set(xlabel="steps (0 at 1)", ylabel="grey levels in one picture")
            panel.minorticks_off()
    save(figure, folder, "strength")


def final(results: dict[str, Any], folder: Path) -> None:
    figure, panels = axes(2, 2, width=4.6, height=2.6)
    for row, period in enumerate(PERIODS):
        for column, (key, said) in enumerate((("single", "one picture"), ("amplitude", "mean of all"))):
            groups = {
                name: [late(r, f"{key}_{period}") for r in of(results["rows"], name)]
                for name in shorts(results)
            }
            points(panels[row][column], groups, colour=COLOURS[row], floor=FLOOR)
            panels[row][column].set(title=f"after training, period {period}, {said}", ylabel="grey levels")
            panels[row][column].axhline(results["config"]["visible"], color="grey", linestyle=":")
            panels[row][column].minorticks_off()
    save(figure, folder, "final")


def gains(results: dict[str, Any], folder: Path) -> None:
    figure, panels = axes(2)
    for panel, part in zip(panels[0], ("first", "second"), strict=True):
        curves(panel, over_steps(results["rows"], ("two", "k4", "sub-pixel", "ICNR"), f"spread_{part}", 0.0))
        panel.set(
            xscale="log",
            ylim=(0, 1),
            title=f"{part} upsampling",
            xlabel="steps (0 at 1)",
            ylabel="gain spread",
        )
    save(figure, folder, "gains")


def samples(results: dict[str, Any], folder: Path) -> None:
    shown = [row for row in results["rows"] if "mosaic" in row]
    figure, panels = axes((len(shown) + 1) // 2, 2, width=2.2, height=1.7)
    for panel in panels.flat:
        panel.axis("off")
    for panel, row in zip(panels.flat, shown, strict=False):
        show(panel, row["mosaic"], row["short"])
    save(figure, folder, "samples")
