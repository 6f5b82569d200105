"""Figures of stacked layers, from the results alone."""

from __future__ import annotations

from math import isinf
from pathlib import Path
from typing import Any

from lab.figures import COLOURS, axes, points, save
from stacking_verdicts import ratio, strength


def figures(results: dict[str, Any], folder: Path) -> None:
    """What was foretold against what came out; scales; pairs; last layers."""
    rows, config = results["rows"], results["config"]
    chains = [row for row in rows if "chain" in row]
    _predicted(chains, folder)
    _scales(chains, folder)
    _pairs(rows, config, folder)
    _last(rows, config, folder)


def _predicted(chains: list[Any], folder: Path) -> None:
    figure, panels = axes(2, width=4.0, height=3.4)
    by_sizes, by_weights = panels[0]
    for several, colour, name in ((False, COLOURS[0], "one layer"), (True, COLOURS[1], "several")):
        some = [r for r in chains if (len(r["chain"]) > 1) == several]
        measured = [strength(r["measured"]) for r in some]
        counted = [20 if isinf(ratio(r)) else ratio(r) for r in some]
        by_sizes.plot(counted, measured, "o", color=colour, alpha=0.4, markersize=4, label=name)
        foretold = [strength(r["foretold"]) for r in some]
        by_weights.plot(foretold, measured, "o", color=colour, alpha=0.4, markersize=4, label=name)
    most = max(strength(r["measured"]) for r in chains)
    by_weights.plot([0, most], [0, most], color="grey", linewidth=0.8)
    by_sizes.set(title="from sizes", xlabel="overlap ratio", ylabel="measured levels", xscale="log")
    by_weights.set(title="from weights", xlabel="levels foretold", ylabel="measured levels")
    by_sizes.legend()
    save(figure, folder, "predicted")


def _scales(chains: list[Any], folder: Path) -> None:
    figure, panels = axes(2, width=4.2, height=3.0)
    for panel, layer in zip(panels[0], ("3/2", "4/2"), strict=True):
        groups = {
            f"{count} layers, period {2**i}": [
                r["measured"][str(2**i)] for r in chains if r["chain"] == [layer] * count
            ]
            for count in (1, 2, 3)
            for i in range(1, count + 1)
        }
        points(panel, groups, floor=0.1)
        panel.set(title=f"k{layer[0]} s2, random weights, ReLU", ylabel="levels, 42.5 = 1 s.d.")
    save(figure, folder, "scales")


def _pairs(rows: list[Any], config: dict[str, Any], folder: Path) -> None:
    pairs = [row for row in rows if "pair" in row]
    figure, panels = axes(3, width=4.2, height=3.2)
    names = {" then ".join(pair): pair for pair in config["pairs"]}
    for shift, kind in enumerate(("first", "second", "both")):
        groups = {name: [r[kind] for r in pairs if r["pair"] == pair] for name, pair in names.items()}
        points(panels[0][0], groups, colour=COLOURS[shift])
        panels[0][0].plot([], [], "o", color=COLOURS[shift], label=kind)
    panels[0][0].set(title="median unevenness", ylabel="0 even, 1 nothing but lattice")
    panels[0][0].legend()
    kept = {
        name: [v for r in pairs if r["pair"] == pair for v in r["kept_some"]] for name, pair in names.items()
    }
    points(panels[0][1], kept, colour=COLOURS[2], floor=0.01)
    panels[0][1].axhline(config["cancelled"], color="grey", linestyle=":")
    panels[0][1].set(title="first layer's lattice left by the second", ylabel="factor, relative to mean")
    counted = next(row for row in rows if "counted" in row)
    more = [
        [both / max(a, b) for b, both in zip(counted["alone"], line, strict=True)]
        for a, line in zip(counted["alone"], counted["pairs"], strict=True)
    ]
    panel, places = panels[0][2], range(len(more))
    for i in places:
        for j in places:
            panel.text(j, i, f"{more[i][j]:.2f}", ha="center", va="center", fontsize=6)
    panel.imshow(more, cmap="RdBu_r", vmin=0, vmax=2)
    panel.set_xticks(places, counted["counted"], rotation=30)
    panel.set_yticks(places, counted["counted"])
    panel.grid(False)
    panel.set(title="overlap ratio of the pair over the larger alone", xlabel="second", ylabel="first")
    save(figure, folder, "pairs")


def _last(rows: list[Any], config: dict[str, Any], folder: Path) -> None:
    figure, panels = axes(2, width=4.2, height=3.0)
    for shift, period in enumerate(("2", "4")):
        groups = {
            f"k{last[1:]}": [r[period]["quartiles"][1] for r in rows if r.get("last") == last]
            for last in config["lasts"]
        }
        points(panels[0][0], groups, colour=COLOURS[shift])
        panels[0][0].plot([], [], "o", color=COLOURS[shift], label=f"period {period}")
        averages = {
            f"k{r['average'][1:]}": [r["factors"][f"{period} along one"][1]] for r in rows if "average" in r
        }
        points(panels[0][1], averages, colour=COLOURS[shift])
    panels[0][0].axhline(1, color="grey", linestyle=":")
    panels[0][0].set(title="random last layer, median", ylabel="factor on the lattice")
    panels[0][1].set(title="averaging last layer, along one axis", ylabel="factor on the lattice")
    panels[0][0].legend()
    save(figure, folder, "last")
