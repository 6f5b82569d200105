"""Figures of borders, from the results alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from boundary_sizes import reach
from boundary_verdicts import some, strength
from lab.figures import COLOURS, axes, points, save
from lab.pictures import show


def figures(results: dict[str, Any], folder: Path) -> None:
    """Untrained and trained borders, pictures of them, and errors by distance."""
    rows, config = results["rows"], results["config"]
    _untrained(rows, config, folder)
    _trained(rows, config, folder)
    _errors(rows, config, folder)


def _untrained(rows: list[Any], config: dict[str, Any], folder: Path) -> None:
    figure, panels = axes(3, width=4.2, height=3.2)
    names = config["layers"]
    for panel, kind, said in zip(
        panels[0], ("flat", "cut"), ("flat colour", "photographs, cut"), strict=False
    ):
        groups = {n: [strength(r, kind) for r in some(rows, n, trained=False)] for n in names}
        points(panel, groups, floor=0.1)
        panel.axhline(config["faint"], color="grey", linestyle=":")
        panel.set(title=f"untrained, two stages: {said}", ylabel="levels, 42.5 = 1 s.d.")
    panel = panels[0][2]
    for i, name in enumerate(("zeros k3", "replicate k3", "zeros k5", "deconv k3", "deconv k4")):
        for stages in config["stages"]:
            seen = [r["cut"]["depth"] for r in some(rows, name, trained=False, stages=stages) if r["cut"]]
            panel.plot([stages + (i - 2) * 0.1] * len(seen), seen, "o", color=COLOURS[i], alpha=0.5)
        panel.plot([], [], "o", color=COLOURS[i], label=name)
    for name, style in (("zeros k3", "-"), ("zeros k5", "--")):
        bound = [reach(name, stages) for stages in config["stages"]]
        panel.plot(config["stages"], bound, style, color="grey", linewidth=0.8)
    panel.set(title="depth on photographs, and its bound", xlabel="stages", ylabel="output pixels")
    panel.set_xticks(config["stages"])
    panel.legend()
    save(figure, folder, "untrained")


def _trained(rows: list[Any], config: dict[str, Any], folder: Path) -> None:
    names = config["trained"]
    shown = [(r["layer"], r["picture"]) for r in rows if "picture" in r]
    figure, panels = axes(4, 3, width=3.2, height=2.9)
    for panel, kind, said in zip(
        panels[0], ("flat", "cut"), ("flat colour", "photographs, cut"), strict=False
    ):
        groups = {n: [strength(r, kind) for r in some(rows, n, trained=True)] for n in names}
        points(panel, groups, floor=0.1)
        panel.axhline(config["faint"], color="grey", linestyle=":")
        panel.set(title=f"trained: {said}", ylabel="grey levels")
    for i, name in enumerate(n for n in names if n.endswith("k3")):
        for r in some(rows, name, trained=True):
            panels[0][2].plot(r["cut_by_ring"], color=COLOURS[i], linewidth=1)
        panels[0][2].plot([], [], color=COLOURS[i], label=name)
    panels[0][2].set(title="what a cut changes", xlabel="pixels from the border", ylabel="grey levels (RMS)")
    panels[0][2].legend()
    rest = [panels[0][3], *panels[1], *panels[2]]
    for panel, (name, picture) in zip(rest[1:], shown, strict=False):
        show(panel, picture, f"{name}: flat grey, 8 x contrast")
    for panel in [rest[0], *rest[1 + len(shown) :]]:
        panel.set_visible(False)
    save(figure, folder, "trained")


def _errors(rows: list[Any], config: dict[str, Any], folder: Path) -> None:
    figure, panels = axes(3, width=4.0, height=3.0)
    names = config["trained"]
    squares = {n: [r["errors"]["square"] for r in some(rows, n, trained=True)] for n in names}
    points(panels[0][0], squares)
    panels[0][0].set(title="squared error, held-out", ylabel="grey levels squared")
    for panel, key, said in zip(
        panels[0][1:],
        ("by_ring", "mean_by_ring"),
        ("RMS error", "mean error over pictures (RMS)"),
        strict=True,
    ):
        for i, name in enumerate(names):
            curves = [r["errors"][key] for r in some(rows, name, trained=True)]
            means = [sum(column) / len(column) for column in zip(*curves, strict=True)]
            panel.plot(means, color=COLOURS[i], label=name)
        panel.set(title=said, xlabel="pixels from the border", ylabel="grey levels")
    panels[0][2].legend(fontsize=7)
    save(figure, folder, "errors")
