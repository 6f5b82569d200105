"""Do networks learn to even out their gains? `python run.py`. See README.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.runs import Experiment, main
from learning_verdicts import conclude


def tasks(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Every kernel, free and with equal gains, and seed; one seed after the other."""
    return [
        {"kernel": kernel, "tied": tied, "seed": seed}
        for seed in config["seeds"]
        for kernel in config["kernels"]
        for tied in (False, True)
    ]


def measure(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """One training."""
    from learning_training import train

    return train(task, config)


def draw(results: dict[str, Any], folder: Path) -> None:
    """Strength and gain spread over steps; what a falling learning rate does; loss."""
    from learning_figures import gains, longer, loss, settling, strength

    for figure in (strength, gains, longer, settling, loss):
        figure(results, folder)


EXPERIMENT = Experiment(Path(__file__).resolve().parent, tasks, measure, conclude, draw)

if __name__ == "__main__":
    main(EXPERIMENT)
