"""Figures of bright-colours, from its results alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bright_claims import of


def draw(results: dict[str, Any], folder: Path) -> None:
    generators(results["rows"], folder)
    generators(results["rows"], folder, "before_tanh")
    gans(results["rows"], folder)
    moved(results["rows"], folder)
    released(results["rows"], folder)
    zero(results, folder)


def generators(rows: list[dict[str, Any]], folder: Path, kind: str = "dependence") -> None:
    """Amplitude in bins of both distances, a line per seed; the pictures, or what the tanh gets."""
    from lab.figures import axes, save
    from lab.pictures import show

    figure, panels = axes(3, 2, height=2.7)
    for line, (trained, said) in enumerate(((False, "untrained"), (True, "trained"))):
        seen = of(rows, "generator", trained=trained)
        distances(panels[line], seen, kind, said)
        show(panels[line][2], next(row["picture"] for row in seen if "picture" in row), said)
    save(figure, folder, "generators" if kind == "dependence" else kind)


def gans(rows: list[dict[str, Any]], folder: Path) -> None:
    """The same of the GANs: what they show, and what their tanh gets."""
    from lab.figures import axes, save
    from lab.pictures import show

    figure, panels = axes(3, 2, height=2.7)
    seen = of(rows, "gan")
    distances(panels[0], seen, "dependence", "GAN")
    distances(panels[1], seen, "before_tanh", "before its tanh")
    show(panels[0][2], next(row["picture"] for row in seen if "picture" in row), "GAN")
    panels[1][2].set_axis_off()
    save(figure, folder, "gans")


def distances(panels: Any, seen: list[dict[str, Any]], kind: str, said: str) -> None:
    """Amplitude in bins of the distance from the mean colour and from the bias', a line per seed."""
    from lab.figures import COLOURS

    for column, (key, what) in enumerate((("from_mean", "mean colour"), ("from_bias", "bias' colour"))):
        panel, bins_of = panels[column], [row[kind][key]["bins"] for row in seen]
        for bins in bins_of:
            x, y = zip(*bins, strict=True)
            panel.plot(x, y, "o-", color=COLOURS[column], alpha=0.6, markersize=3)
        panel.set(
            title=f"{said}, period 2",
            xlabel=f"distance from the {what}, grey levels",
            ylabel="amplitude, grey levels",
        )
        panel.set_ylim(1.2 * min(0, *(b[1] for bins in bins_of for b in bins)), None)


def moved(rows: list[dict[str, Any]], folder: Path) -> None:
    """Amplitude when the colour is moved by scaled activations, and by the bias; before and behind tanh."""
    from lab.figures import COLOURS, axes, save

    figure, panels = axes(2, 2, height=2.7)
    for line, (trained, said) in enumerate(((False, "untrained"), (True, "trained"))):
        for row in of(rows, "generator", trained=trained):
            for column, key in enumerate(("by_activations", "by_bias")):
                points = row[key]
                unit = points[0][2] if key == "by_bias" else next(p[2] for p in points if p[0] == 1)
                for index, style in ((2, "--"), (3, "-")):
                    panels[line][column].plot(
                        [p[0] for p in points],
                        [p[index] / unit for p in points],
                        style,
                        color=COLOURS[column],
                        alpha=0.6,
                        label={2: "before tanh", 3: "behind tanh"}[index] if row["seed"] == 0 else None,
                    )
        for column, what in enumerate(("factor of the activations", "shift of the bias, before tanh")):
            panels[line][column].set(
                title=said, xlabel=what, ylabel="amplitude, of the network's own", ylim=(0, 4 - 2.5 * column)
            )
            panels[line][column].legend()
    save(figure, folder, "moved")


def released(rows: list[dict[str, Any]], folder: Path) -> None:
    """Released networks: on their own pictures, and on flat colours."""
    from lab.figures import COLOURS, axes, save

    seen = of(rows, "released")
    flat = [row for row in seen if "flat" in row]
    figure, panels = axes(max(1, len(seen)), 2, width=2.7, height=2.6)
    for column, row in enumerate(seen):
        for i, (key, said) in enumerate((("from_mean", "mean colour"), ("from_bias", "bias' colour"))):
            bins = row["dependence"].get(key, {"bins": []})["bins"]
            panels[0][column].plot(
                [b[0] for b in bins], [b[1] for b in bins], "o-", color=COLOURS[i], label=said
            )
        panels[0][column].set(
            title=row["network"], xlabel="distance, grey levels", ylabel="amplitude, grey levels"
        )
    for panel in panels[1][len(flat) :]:
        panel.set_axis_off()
    for panel, row in zip(panels[1], flat, strict=False):
        for i, said in enumerate(("mean colour", "bias' colour")):
            points = row["flat"]["points"]
            panel.plot(
                [p[i] for p in points],
                [p[2] for p in points],
                "o",
                color=COLOURS[i],
                markersize=2,
                label=said,
            )
        panel.set(
            title=f"{row['network']}, flat", xlabel="distance, grey levels", ylabel="amplitude, grey levels"
        )
    for panel in (panels[0][0], panels[1][0]):
        if seen:
            panel.legend()
    save(figure, folder, "released")


def zero(results: dict[str, Any], folder: Path) -> None:
    """What layers show without any activation."""
    from lab.figures import axes, points, save

    figure, panels = axes()
    groups = {
        layer: [r["amplitude"] for r in of(results["rows"], "zero", layer=layer)]
        for layer in results["config"]["layers"]
    }
    points(panels[0][0], groups)
    panels[0][0].set(title="without any activation", ylabel="grey levels")
    save(figure, folder, "zero")
