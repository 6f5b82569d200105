"""Gradients of strided and pooled classifiers, and what follows them: `python run.py`. See README.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.runs import Experiment, main

PERIODS = (2, 4)


def tasks(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Every classifier, every discriminator with what it drives, and the article's pictures at hand."""
    from lab.cases import labelled

    return [
        *({"network": name, "seed": seed} for name in config["networks"] for seed in config["seeds"]),
        *(
            {"maker": maker, "discriminator": name, "seed": seed}
            for maker in config["makers"]
            for name in config["discriminators"]
            for seed in config["seeds"]
        ),
        *(
            {"maker": maker, "discriminator": name, "seed": seed}
            for maker in ("pixels", "pixels, plain steps")
            for name in config["wrapped"]
            for seed in config["seeds"]
        ),
        *({"article": name} for name in labelled(config["labelled"])),
    ]


def measure(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """One classifier before and after training, one game, or one picture."""
    import torch
    from lab.cases import measured

    if "article" in task:
        return {"lattice": measured(task["article"], PERIODS)}
    torch.manual_seed(task["seed"])
    return _classifier(task, config) if "network" in task else _game(task, config)


def _classifier(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    import torch
    from gradients_networks import gradient, network, trained, visualised
    from lab.lattice import lattice
    from lab.patches import HELD_OUT, TRAINING, patches
    from lab.pictures import kept

    draw = torch.Generator().manual_seed(task["seed"])
    each = config["pool"] // len(TRAINING)
    pool = torch.cat([patches((name,), each, 32, draw) for name in TRAINING])
    labels = torch.arange(len(TRAINING)).repeat_interleave(each)
    looked, grey = patches(HELD_OUT, config["looked"], 64, draw), torch.full((1, 3, 64, 64), 0.5)
    model = network(task["network"], config["width"], len(TRAINING))
    row: dict[str, Any] = {"before": gradient(model, looked)}
    row["right"] = round(trained(model, pool, labels, config["steps"], task["seed"]), 3)
    row["after"], row["flat"] = gradient(model, looked), gradient(model, grey)
    for kind, jitter in (("fixed", 0), ("jittered", config["jitter"])):
        made = visualised(model, config["pictures"], config["ascent"], jitter, task["seed"])
        row[kind] = lattice(made, (0, 1), PERIODS)
        if task["seed"] == config["seeds"][0] and task["network"] in ("stride 1 k3", "stride 2 k3"):
            row[kind]["picture"] = kept(made[0], (0, 1))
    return row


def _game(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    import torch
    from gradients_networks import PLAIN, driven, moved
    from lab.lattice import lattice
    from lab.patches import TRAINING, patches
    from lab.pictures import kept

    real = patches(TRAINING, config["pool"] // 2, 32, torch.Generator().manual_seed(task["seed"]))
    before, after = driven(
        task["maker"],
        task["discriminator"],
        config["width"],
        real,
        config["driven"],
        config["rounds"],
        task["seed"],
    )
    row: dict[str, Any] = {"start": lattice(before, (0, 1), PERIODS), "end": lattice(after, (0, 1), PERIODS)}
    if task["maker"] == PLAIN:
        row["moved"] = float(f"{255 * moved(before, after):.3g}")
    if task["seed"] == config["seeds"][0] and task["maker"] == "pixels":
        row["end"]["picture"] = kept(after[0], (0, 1))
    return row


def conclude(rows: list[dict[str, Any]], config: dict[str, Any]) -> dict[str, dict[str, str]]:
    from gradients_verdicts import verdicts

    return verdicts(rows, config)


def draw(results: dict[str, Any], folder: Path) -> None:
    from gradients_figures import figures

    figures(results, folder)


EXPERIMENT = Experiment(Path(__file__).resolve().parent, tasks, measure, conclude, draw)

if __name__ == "__main__":
    main(EXPERIMENT)
