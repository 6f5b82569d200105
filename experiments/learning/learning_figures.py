"""Figures of what networks learn about their gains, from the results alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.curves import power_law
from lab.figures import COLOURS, axes, curves, points, save
from learning_verdicts import costs, joined, of

FLOOR = 0.01
KERNELS = (2, 3, 4)
#: Curves of the lattice, and what they were measured on.
WHERE = (("flat", "flat colour"), ("shared", "mean of held-out pictures"))


def over_steps(rows: list[dict[str, Any]], key: str, floor: float) -> list[Any]:
    """The curve of each seed; step 0 left out, for the axis is logarithmic."""
    return [(r["steps"][1:], [max(floor, v) for v in r[key][1:]]) for r in rows]


def strength(results: dict[str, Any], folder: Path) -> None:
    """On flat colour and on held-out pictures, free and tied; the fits of the free ones dotted."""
    figure, panels = axes(2, 2, height=2.6, width=4)
    for row, tied in enumerate((False, True)):
        for column, (key, said) in enumerate(WHERE):
            panel = panels[row][column]
            groups = {f"k{k}": over_steps(of(results["rows"], k, tied), key, FLOOR) for k in KERNELS}
            curves(panel, groups)
            if not tied:
                fits(panel, results, key)
            panel.axhline(results["config"]["visible"], color="grey", linestyle=":")
            panel.set(xscale="log", yscale="log", ylim=(FLOOR * 0.8, 100), xlabel="steps")
            panel.set(title=f"{'equal gains' if tied else 'free'}, {said}", ylabel="grey levels")
            panel.minorticks_off()
    save(figure, folder, "strength")


def fits(panel: Any, results: dict[str, Any], key: str) -> None:
    """The power law with a floor of each free curve."""
    start = results["config"]["fit_from"]
    for k, colour in zip(KERNELS, COLOURS, strict=False):
        for r in of(results["rows"], k):
            law = power_law(r["steps"], r[key], start=start)
            at = [s for s in r["steps"] if s >= start]
            panel.plot(at, [law.at(s) for s in at], ":", color=colour, linewidth=1)


def gains(results: dict[str, Any], folder: Path) -> None:
    figure, panels = axes(2)
    for panel, part in zip(panels[0], ("first", "second"), strict=True):
        curves(panel, {f"k{k}": over_steps(of(results["rows"], k), f"spread_{part}", 0) for k in KERNELS})
        panel.set(xscale="log", ylim=(0, 1), title=f"{part} deconvolution, free", xlabel="steps")
        panel.set(ylabel="gain spread")
        panel.minorticks_off()
    save(figure, folder, "gains")


def longer(results: dict[str, Any], folder: Path) -> None:
    """The longest trainings, whole; their power laws from the end of the first fall on, dotted."""
    kernels = results["config"]["longer_kernels"]
    figure, panels = axes(2, width=4)
    for panel, (key, said) in zip(panels[0], WHERE, strict=True):
        groups = {}
        for k, colour in zip(kernels, COLOURS, strict=False):
            some = of(results["rows"], k)
            groups[f"k{k}"] = [(joined(r, "steps")[1:], joined(r, key)[1:]) for r in some]
            for r in some:
                law = power_law(joined(r, "steps"), joined(r, key), start=results["config"]["fit_late"])
                at = [s for s in joined(r, "steps") if s >= results["config"]["fit_late"]]
                panel.plot(at, [law.at(s) for s in at], ":", color=colour, linewidth=1)
        curves(panel, groups)
        panel.axhline(results["config"]["visible"], color="grey", linestyle=":")
        panel.set(
            xscale="log", yscale="log", ylim=(0.1, 100), title=said, xlabel="steps", ylabel="grey levels"
        )
        panel.minorticks_off()
    save(figure, folder, "longer")


def settling(results: dict[str, Any], folder: Path) -> None:
    """Flat colour at the last step of the full learning rate, and after it fell to zero."""
    groups = {}
    for k in KERNELS:
        rows = of(results["rows"], k)
        groups[f"k{k}"] = [r["flat"][-1] for r in rows]
        groups[f"k{k}, settled"] = [r["settled"]["flat"] for r in rows]
    figure, panels = axes(width=4.2)
    points(panels[0][0], groups, floor=FLOOR)
    panels[0][0].axhline(results["config"]["visible"], color="grey", linestyle=":")
    panels[0][0].set(title="flat colour", ylabel="grey levels")
    save(figure, folder, "settling")


def loss(results: dict[str, Any], folder: Path) -> None:
    """Held-out loss over steps, and what equal gains cost after settling."""
    figure, panels = axes(2, width=4)
    groups = {
        f"k{k}{', equal gains' if tied else ''}": over_steps(of(results["rows"], k, tied), "loss", 0)
        for k in KERNELS
        for tied in (False, True)
    }
    curves(panels[0][0], groups)
    panels[0][0].set(xscale="log", yscale="log", title="held-out loss", xlabel="steps", ylabel="L1 of 0 to 1")
    points(panels[0][1], {f"k{k}": [100 * v for v in costs(results["rows"], k)] for k in KERNELS})
    panels[0][1].axhline(0, color="grey", linewidth=0.8)
    panels[0][1].set(title="equal gains against free, settled", ylabel="held-out loss, %")
    save(figure, folder, "loss")
