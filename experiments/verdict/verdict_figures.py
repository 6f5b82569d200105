"""Figures of the verdicts, from the results alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.figures import COLOURS, axes, save
from verdict_claims import dominated, right, stated, strength


def draw(results: dict[str, Any], folder: Path) -> None:
    """What the mean of many outputs holds against what was said; inputs; blame."""
    rows, config = results["rows"], results["config"]
    _limits(rows, config, folder)
    _evidence(rows, config, folder)
    _ranked(rows, config, folder)


def _limits(rows: list[Any], config: dict[str, Any], folder: Path) -> None:
    figure, panels = axes(1, width=4.4, height=3.6)
    axis = panels[0][0]
    for word, colour in (("clean", COLOURS[0]), ("lattice", COLOURS[1])):
        pairs = [
            (max(stated(row, c["period"]), 1e-3), max(c["amplitude"], 1e-3))
            for row in rows
            if row["verdict"] == word
            for c in row["truth"]
        ]
        axis.loglog(*zip(*pairs or [(1e-3, 1e-3)], strict=True), "o", color=colour, alpha=0.5, label=word)
    axis.plot([1e-3, 100], [1e-3, 100], color="grey", linewidth=0.8)
    axis.set(xlabel="found, or limit, of the report (levels)", ylabel=f"in the mean of {config['count']}")
    axis.legend()
    save(figure, folder, "limits")


def _evidence(rows: list[Any], config: dict[str, Any], folder: Path) -> None:
    figure, panels = axes(1, width=4.4, height=3.2)
    axis = panels[0][0]
    for i, word in enumerate(("clean", "lattice")):
        some = [row for row in rows if row["verdict"] == word]
        worst = [max([1e-3, *(one["amplitude"] for one in row["limit"])]) for row in some]
        axis.loglog([row["inputs"] for row in some], worst, "o", color=COLOURS[i], alpha=0.5, label=word)
    axis.axhline(config["visible"], color="grey", linewidth=0.8)
    axis.set(xlabel="inputs looked at", ylabel="highest limit (levels)")
    axis.legend()
    save(figure, folder, "evidence")


def _ranked(rows: list[Any], config: dict[str, Any], folder: Path) -> None:
    figure, panels = axes(1, width=4.4, height=3.2)
    axis = panels[0][0]
    told = [row for row in rows if dominated(row, config)]
    for word, colour, holds in (("first", COLOURS[2], True), ("not first", COLOURS[3], False)):
        some = [row for row in told if right(row) == holds]
        shares = [row["blame"][row["guilty"]] for row in some]
        axis.semilogx(
            [strength(row["truth"]) for row in some], shares, "o", color=colour, alpha=0.6, label=word
        )
    axis.set(xlabel="lattice in the mean (levels)", ylabel="blame of the stage at fault", ylim=(-0.05, 1.05))
    axis.legend()
    save(figure, folder, "ranked")
