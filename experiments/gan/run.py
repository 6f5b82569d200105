"""Generators with and without deconvolution trained as GANs: `python run.py`. See README.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gan_verdicts import conclude
from lab.runs import Experiment, main

PERIODS = (2, 4)
DATA = "photographs"


def tasks(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Every network and seed, one seed after the other; and the photographs themselves."""
    trained = [{**network, "seed": seed} for seed in config["seeds"] for network in config["networks"]]
    return [{"name": DATA, "short": DATA}, *trained]


def measure(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """One training; or the lattice of as many photographs as pictures are measured."""
    from gan_training import SPAN, data, mosaic, train
    from lab.lattice import lattice
    from lab.pictures import kept

    if "seed" in task:
        return train(task, config)
    real = data(config["patches"], 4 * config["base"])
    return {"lattice": lattice(real[: config["count"]], SPAN), "mosaic": kept(mosaic(real), SPAN)}


def draw(results: dict[str, Any], folder: Path) -> None:
    """Strength over steps; strength after training; gain spread over steps; pictures."""
    from gan_figures import final, gains, samples, strength

    for figure in (strength, final, gains, samples):
        figure(results, folder)


EXPERIMENT = Experiment(Path(__file__).resolve().parent, tasks, measure, conclude, draw)

if __name__ == "__main__":
    main(EXPERIMENT)
