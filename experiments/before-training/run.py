"""Untrained generators with two, one and no deconvolutions at the end: `python run.py`. See README.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.claims import OPEN, holds, spread, verdict
from lab.runs import Experiment, main

PERIODS = (2, 4)


def tasks(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Every network and seed; and the article's own pictures where they are at hand."""
    from lab.cases import labelled

    ours = [
        {"network": network["name"], "layers": network["layers"], "seed": seed}
        for network in config["networks"]
        for seed in config["seeds"]
    ]
    theirs = [
        {"network": network["name"], "article": name}
        for network in config["networks"]
        for name in labelled(network["labelled"])
    ]
    return ours + theirs


def measure(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The lattice of one network's pictures, and one of them as numbers for the figure."""
    import torch
    from lab.cases import measured
    from lab.generator import Generator, samples
    from lab.lattice import lattice
    from lab.pictures import kept

    if "article" in task:
        return {"lattice": measured(task["article"], PERIODS)}
    torch.manual_seed(task["seed"])
    network = Generator(*task["layers"], base=config["base"], width=config["width"])
    pictures = samples(network, config["count"], task["seed"])
    row: dict[str, Any] = {"lattice": lattice(pictures, (-1, 1), PERIODS)}
    if task["seed"] == config["seeds"][0]:
        row["picture"] = kept(pictures[0], (-1, 1))
    return row


def conclude(rows: list[dict[str, Any]], config: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Which periods each kind of network shows, to an eye on one picture and to the test of all of them."""
    two, one, none = (network["name"] for network in config["networks"])
    wanted = {"two": (two, True, True), "one": (one, True, False), "none": (none, False, False)}
    verdicts, ours = {}, [row for row in rows if "seed" in row]
    for claim, (network, *expected) in wanted.items():
        seen = [row["lattice"] for row in ours if row["network"] == network]
        agree = {
            kind: all(
                (s[f"{kind}_{p}"] >= config["visible"]) == e
                for s in seen
                for p, e in zip(PERIODS, expected, strict=True)
            )
            for kind in ("single", "amplitude")
        }
        said = "; ".join(
            f"period {p}: {spread(s[f'single_{p}'] for s in seen)} levels in one picture, "
            f"{spread(s[f'amplitude_{p}'] for s in seen)} in the mean of {config['count']}"
            for p in PERIODS
        )
        outcome = holds(agree["single"])
        if agree["single"] != agree["amplitude"]:
            outcome = "depends on how one looks"
        verdicts[claim] = verdict(outcome, said)
    return {**verdicts, "pictures": of_the_article(rows, list(wanted.values()))}


def of_the_article(rows: list[dict[str, Any]], wanted: list[tuple[Any, ...]]) -> dict[str, str]:
    """Whether its published pictures show the periods that their captions say."""
    agree, said = [], []
    for network, *expected in wanted:
        seen = [row["lattice"] for row in rows if row["network"] == network and "article" in row]
        agree += [
            (s[f"amplitude_{p}"] > 0) == e for s in seen for p, e in zip(PERIODS, expected, strict=True)
        ]
        levels = ", ".join(
            f"period {p} " + " and ".join(f"{s[f'amplitude_{p}']:.1f}" for s in seen) for p in PERIODS
        )
        said.append(f"{network}: {levels} levels")
    if not agree:
        return verdict(OPEN, "the article's pictures are not at hand")
    return verdict(holds(all(agree)), "; ".join(said))


def draw(results: dict[str, Any], folder: Path) -> None:
    """Strength per network and period; a picture of each."""
    from lab.figures import COLOURS, axes, points, save
    from lab.pictures import show

    rows = [row for row in results["rows"] if "seed" in row]
    names = [network["name"] for network in results["config"]["networks"]]
    figure, panels = axes(len(PERIODS), 2, height=2.4)
    for column, period in enumerate(PERIODS):
        for row, (kind, said) in enumerate((("single", "one picture"), ("amplitude", "all pictures"))):
            groups = {
                short: [r["lattice"][f"{kind}_{period}"] for r in rows if r["network"] == name]
                for short, name in zip(("two", "one", "none"), names, strict=True)
            }
            points(panels[row][column], groups, colour=COLOURS[column], floor=0.01)
            panels[row][column].set(
                title=f"period {period}, {said}", ylabel="grey levels", xlabel="deconvolutions"
            )
            panels[row][column].axhline(results["config"]["visible"], color="grey", linestyle=":")
    save(figure, folder, "strength")
    figure, panels = axes(len(names), height=3.2)
    for panel, name in zip(panels[0], names, strict=True):
        show(panel, next(r["picture"] for r in rows if r["network"] == name and "picture" in r), name)
    save(figure, folder, "pictures")


EXPERIMENT = Experiment(Path(__file__).resolve().parent, tasks, measure, conclude, draw)

if __name__ == "__main__":
    main(EXPERIMENT)
