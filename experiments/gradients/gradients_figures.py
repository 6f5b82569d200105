"""Figures of gradients, from the results alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradients_verdicts import level, of
from lab.figures import COLOURS, axes, points, save
from lab.pictures import show


def figures(results: dict[str, Any], folder: Path) -> None:
    """Levels per network, the phases' shares, what was visualised, and what was inherited."""
    rows, config = results["rows"], results["config"]
    _gradient(rows, config["networks"], folder)
    _favoured(rows, config["networks"], folder)
    _visualisation(rows, config["networks"], folder)
    _inherited(rows, config, folder)


def _gradient(rows: list[Any], names: list[str], folder: Path) -> None:
    figure, panels = axes(3, 2, width=4.2, height=3.0)
    for column, (when, said) in enumerate(
        (
            ("before", "untrained, photographs"),
            ("after", "trained, photographs"),
            ("flat", "trained, mid-grey"),
        )
    ):
        for line, period in enumerate((2, 4)):
            groups = {name: [level(r[when], period=period) for r in of(rows, name)] for name in names}
            panel = panels[line][column]
            points(panel, groups, colour=COLOURS[line], floor=0.1)
            panel.set(title=f"period {period}: {said}", ylabel="levels, 42.5 = 1 s.d.")
    save(figure, folder, "gradient")


def _favoured(rows: list[Any], names: list[str], folder: Path) -> None:
    figure, panels = axes(2, width=4.6, height=3.2)
    for shift, (when, colour) in enumerate((("before", COLOURS[5]), ("after", COLOURS[0]))):
        ratios = {name: [r[when]["favoured"] for r in of(rows, name)] for name in names}
        points(panels[0][0], ratios, colour=colour)
        second = {name: [level(r[when], "magnitude") for r in of(rows, name)] for name in names}
        points(panels[0][1], second, colour=colour, floor=0.1)
        panels[0][0].plot([], [], "o", color=colour, label=("untrained", "trained")[shift])
    panels[0][0].axhline(1, color="grey", linestyle=":")
    panels[0][0].set(title="mean magnitude, most favoured phase over least", ylabel="ratio")
    panels[0][1].set(title="lattice of the magnitude, period 2", ylabel="levels, 42.5 = 1 s.d.")
    panels[0][0].legend()
    save(figure, folder, "favoured")


def _visualisation(rows: list[Any], names: list[str], folder: Path) -> None:
    shown = [
        (f"{r['network']}, {kind}", r[kind]["picture"])
        for r in rows
        for kind in ("fixed", "jittered")
        if "network" in r and "picture" in r[kind]
    ]
    figure, panels = axes(1 + len(shown), width=3.0, height=3.2)
    for kind, colour in (("fixed", COLOURS[3]), ("jittered", COLOURS[2])):
        groups = {name: [r[kind]["amplitude_2"] for r in of(rows, name)] for name in names}
        points(panels[0][0], groups, colour=colour, floor=0.01)
        panels[0][0].plot([], [], "o", color=colour, label=kind)
    panels[0][0].set(title="period 2 of pictures made", ylabel="grey levels")
    panels[0][0].legend()
    for panel, (title, picture) in zip(panels[0][1:], shown, strict=True):
        show(panel, picture, title)
    save(figure, folder, "visualisation")


def _inherited(rows: list[Any], config: dict[str, Any], folder: Path) -> None:
    games = [r for r in rows if "maker" in r]
    shown = [(r["discriminator"], r["end"]["picture"]) for r in games if "picture" in r["end"]]
    makers = [(maker, config["discriminators"]) for maker in config["makers"]]
    if config["wrapped"]:
        makers += [("pixels", config["wrapped"]), ("pixels, plain steps", config["wrapped"])]
    figure, panels = axes(max(len(makers), -(-len(shown) // 2)), 3, width=3.2, height=3.0)
    for panel, (maker, names) in zip(panels[0], makers, strict=False):
        for period, colour in ((2, COLOURS[0]), (4, COLOURS[1])):
            groups = {
                name: [
                    r["end"][f"amplitude_{period}"]
                    for r in games
                    if r["maker"] == maker and r["discriminator"] == name
                ]
                for name in names
            }
            points(panel, groups, colour=colour, floor=0.01)
            panel.plot([], [], "o", color=colour, label=f"period {period}")
        panel.set(title=f"{maker} against ...", ylabel="grey levels")
    panels[0][0].legend()
    rest = [*panels[1], *panels[2]]
    for panel, (name, picture) in zip(rest, shown, strict=False):
        show(panel, picture, f"pixels against\n{name}")
    for panel in [*panels[0][len(makers) :], *rest[len(shown) :]]:
        panel.set_visible(False)
    save(figure, folder, "inherited")
