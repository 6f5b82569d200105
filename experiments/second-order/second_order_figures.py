"""Figures of second-order, from its results alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from second_order_claims import BENT, cured, of


def draw(results: dict[str, Any], folder: Path) -> None:
    law(results, folder)
    layers(results, folder)
    cures(results, folder)
    generators(results, folder)


def law(results: dict[str, Any], folder: Path) -> None:
    """Predicted against measured; spreads of the deviations, predicted against measured."""
    from lab.figures import COLOURS, axes, save

    rows = of(results["rows"], "law")
    figure, panels = axes(2, width=3.8, height=3.4)
    one, two = panels[0]
    for i, drive in enumerate(d for d in results["config"]["drives"] if d != "constant"):
        chosen = [r for r in rows if r["drive"] == drive]
        style = {"markersize": 3, "alpha": 0.5, "color": COLOURS[i]}
        spreads = [r["spread"] for r in chosen]
        one.plot([s[0] for s in spreads], [s[1] for s in spreads], "o", label=drive, **style)
        points = [(r["predicted"][f], r["measured"][f]) for r in chosen for f in BENT]
        two.plot([max(p, 0.01) for p, _ in points], [max(m, 0.01) for _, m in points], "o", **style)
    one.plot([0, 0.4], [0, 0.4], color="grey", linewidth=0.8)
    one.set(xlabel="from weights and covariance", ylabel="measured", title="spread of deviations over phases")
    one.legend()
    two.plot([0.01, 100], [0.01, 100], color="grey", linewidth=0.8)
    two.set(xscale="log", yscale="log", xlabel="predicted, grey levels", ylabel="measured, grey levels")
    two.set(title="behind ReLU, LeakyReLU, GELU, square")
    save(figure, folder, "law")


def layers(results: dict[str, Any], folder: Path) -> None:
    """Levels behind ReLU per layer, for each input."""
    from lab.figures import COLOURS, axes, points, save

    drives = [d for d in results["config"]["drives"] if d != "constant"]
    figure, panels = axes(len(drives), height=3.2)
    for i, (panel, drive) in enumerate(zip(panels[0], drives, strict=True)):
        groups = {
            layer: [r["measured"]["ReLU"] for r in of(results["rows"], "law", drive=drive, layer=layer)]
            for layer in results["config"]["layers"]
        }
        points(panel, groups, colour=COLOURS[i], floor=0.01)
        panel.set(title=f"ReLU, {drive}", ylabel="grey levels", ylim=(0.008, 60))
        panel.axhline(results["config"]["visible"], color="grey", linestyle=":")
    save(figure, folder, "layers")


def cures(results: dict[str, Any], folder: Path) -> None:
    """Levels with each cure, behind one nonlinearity and behind two."""
    from lab.figures import COLOURS, axes, points, save

    figure, panels = axes(2, width=4.2, height=3.4)
    for i, depth in enumerate((1, 2)):
        points(panels[0][i], cured(results["rows"], depth), colour=COLOURS[i], floor=0.01)
        panels[0][i].set(
            title=f"behind {('one ReLU', 'two ReLUs')[i]}", ylabel="grey levels", ylim=(0.008, 20)
        )
        panels[0][i].axhline(results["config"]["visible"], color="grey", linestyle=":")
    save(figure, folder, "cures")


def generators(results: dict[str, Any], folder: Path) -> None:
    """The generator of before-training with each swap; the released ones."""
    from lab.figures import COLOURS, axes, points, save

    rows = results["rows"]
    groups = {
        s: [r["amplitude_4"] for r in of(rows, "generator", swap=s)] for s in results["config"]["swaps"]
    }
    groups["predicted"] = [r["predicted_4"] for r in of(rows, "generator", swap="as it is")]
    theirs = of(rows, "released")
    figure, panels = axes(2 + len(theirs), height=3.2)
    points(panels[0][0], groups, floor=0.01)
    panels[0][0].set(title="untrained generator, period 4", ylabel="grey levels", ylim=(0.05, 5))
    style = [r["levels"] for r in of(rows, "style")]
    points(panels[0][1], {k: [s[k][0] for s in style] for k in style[0]}, colour=COLOURS[3], floor=0.01)
    panels[0][1].set(title="trained style networks, shared", ylabel="grey levels")
    for i, row in enumerate(theirs, start=2):
        seen = {name: [value] for name, value in row["amplitudes"].items()}
        points(panels[0][i], seen, colour=COLOURS[i])
        panels[0][i].set(title=f"{row['network']}, period 4", ylim=(0, None))
    save(figure, folder, "generators")
