"""What stacked layers do to each other's lattices, foretold and measured: `python run.py`. See README.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.runs import Experiment, main


def tasks(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Kernels of ones and of what cancels; every chain, every kind of pair, every last layer, per seed."""
    seeds = config["seeds"]
    return [
        *({"ones": chain} for chain in config["chains"]),
        {"counted": config["sizes"]},
        {"built": "cancelling"},
        *({"chain": chain, "seed": seed} for chain in config["chains"] for seed in seeds),
        *({"pair": pair, "seed": seed} for pair in config["pairs"] for seed in seeds),
        *({"last": last, "seed": seed} for last in config["lasts"] for seed in seeds),
        *({"average": last} for last in config["averages"]),
    ]


def measure(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """One of the seven kinds."""
    import stacking_measures as measures
    import torch

    torch.manual_seed(task.get("seed", 0))
    kind = next(iter(task))
    found: dict[str, Any] = getattr(measures, kind)(task[kind], config)
    return found


def conclude(rows: list[dict[str, Any]], config: dict[str, Any]) -> dict[str, dict[str, str]]:
    from stacking_verdicts import verdicts

    return verdicts(rows, config)


def draw(results: dict[str, Any], folder: Path) -> None:
    from stacking_figures import figures

    figures(results, folder)


EXPERIMENT = Experiment(Path(__file__).resolve().parent, tasks, measure, conclude, draw)

if __name__ == "__main__":
    main(EXPERIMENT)
