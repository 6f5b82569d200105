"""Borders of decoders by padding, untrained and trained: `python run.py`. See README.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.runs import Experiment, main


def tasks(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Every layer, number of stages and seed untrained; every layer and seed trained."""
    return [
        *(
            {"layer": layer, "stages": stages, "seed": seed, "trained": False}
            for layer in config["layers"]
            for stages in config["stages"]
            for seed in config["seeds"]
        ),
        *(
            {"layer": layer, "stages": 2, "seed": seed, "trained": True}
            for layer in config["trained"]
            for seed in config["trained_seeds"]
        ),
    ]


def measure(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The borders of one decoder; errors of trained ones."""
    import torch
    import torch.nn.functional as F
    from boundary_decoders import borders, decoder, errors, trained
    from lab.patches import HELD_OUT, TRAINING, patches
    from lab.pictures import kept

    # Layers of one seed share photographs and, where their shapes allow it, initial weights.
    draw = torch.Generator().manual_seed(task["seed"])
    looked = F.avg_pool2d(patches(HELD_OUT, config["looked"], 96, draw), 4)
    torch.manual_seed(task["seed"])
    model = decoder(task["layer"], task["stages"], config["width"])
    if not task["trained"]:
        row = borders(model, task["stages"], looked, 8, None)
        if task["layer"] == "reflect k3":
            torch.manual_seed(task["seed"])
            other = decoder("replicate k3", task["stages"], config["width"])
            with torch.no_grad():
                apart = (model(looked) - other(looked)).abs().max() / model(looked).std()
            row["from_replicate"] = float(f"{float(apart):.3g}")
        return row
    pool = patches(TRAINING, config["pool"], 32, draw)
    trained(model, pool, config["steps"], task["seed"])
    row = borders(model, task["stages"], looked, 8, 255.0)
    row["errors"] = errors(model, patches(HELD_OUT, config["held_out"], 32, draw))
    if task["seed"] == config["trained_seeds"][0]:
        grey = torch.full((1, 3, 8, 8), 0.6)
        with torch.no_grad():
            out = model(grey)[0]
        middle = out[:, 12:20, 12:20].mean((1, 2), keepdim=True)
        row["picture"] = kept(0.5 + 8 * (out - middle), (0, 1))
    return row


def conclude(rows: list[dict[str, Any]], config: dict[str, Any]) -> dict[str, dict[str, str]]:
    from boundary_verdicts import verdicts

    return verdicts(rows, config)


def draw(results: dict[str, Any], folder: Path) -> None:
    from boundary_figures import figures

    figures(results, folder)


EXPERIMENT = Experiment(Path(__file__).resolve().parent, tasks, measure, conclude, draw)

if __name__ == "__main__":
    main(EXPERIMENT)
