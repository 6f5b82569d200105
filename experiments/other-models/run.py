"""Denoising, colourisation and style transfer with three upsamplings: `python run.py`. See README.md."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.claims import OPEN, holds, spread, verdict
from lab.runs import Experiment, main

PERIODS = (2, 4)


def tasks(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Every task, layer and seed; photographs as they are; the article's pictures where they are at hand."""
    from lab.cases import labelled

    trained = [
        {"task": task, "layer": layer, "seed": seed}
        for task in config["tasks"]
        for layer in config["layers"]
        for seed in config["seeds"]
    ]
    article = [
        {"layer": layer, "article": name}
        for layer, pattern in (("deconv k3", "style_artifacts*"), ("nearest", "style_clean*"))
        for name in labelled(pattern)
    ]
    return [*trained, {"task": "none", "layer": "photographs", "seed": config["seeds"][0]}, *article]


def measure(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Train one network; the lattice of its pictures of photographs it has not seen, and their quality."""
    import torch
    from image_networks import ImageNetwork
    from image_tasks import CHANNELS, given, loss_of
    from lab.cases import measured
    from lab.lattice import lattice
    from lab.patches import HELD_OUT, TRAINING, patches
    from lab.pictures import kept

    if "article" in task:
        return {"lattice": measured(task["article"], PERIODS)}
    apart = torch.Generator().manual_seed(1000)
    photographs = patches(HELD_OUT, config["count"], config["judged"], apart)
    if task["task"] == "none":
        return {"lattice": lattice(photographs, (0, 1), PERIODS)}
    network = ImageNetwork(CHANNELS[task["task"]], task["layer"], config["width"], task["seed"])
    loss_function = loss_of(task["task"], config)
    generator = torch.Generator().manual_seed(task["seed"])
    optimiser = torch.optim.Adam(network.parameters(), config["rate"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config["steps"])
    for _ in range(config["steps"]):
        batch = patches(TRAINING, config["batch"], config["size"], generator)
        loss = loss_function(network(given(task["task"], batch, generator)), batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        outputs = network.eval()(given(task["task"], photographs, apart))
        error = float((outputs - photographs).square().mean())
        row: dict[str, Any] = {
            "lattice": lattice(outputs, (0, 1), PERIODS),
            "loss": round(float(loss_function(outputs, photographs)), 4),
            "psnr": round(-10 * float(torch.tensor(error).log10()), 2),
        }
    if task["seed"] == config["seeds"][0]:
        row["picture"] = kept(outputs[config["shown"]], (0, 1))
    return row


def of(rows: list[dict[str, Any]], layer: str, task: str | None = None) -> list[dict[str, Any]]:
    wanted = [r for r in rows if r["layer"] == layer and "loss" in r]
    return [r for r in wanted if task in (None, r["task"])]


def shared(row: dict[str, Any]) -> float:
    """Grey levels over all periods that are there in the mean of all pictures."""
    return float(row["lattice"]["strength"])


def conclude(rows: list[dict[str, Any]], config: dict[str, Any]) -> dict[str, dict[str, str]]:
    """One verdict per claim of config.toml."""

    def said(layer: str) -> str:
        return "; ".join(
            f"{task}: {spread(shared(r) for r in of(rows, layer, task))} levels shared, "
            f"{spread(r['lattice']['single'] for r in of(rows, layer, task))} in one picture"
            for task in config["tasks"]
        )

    def fewer(task: str) -> float:
        free = mean(shared(r) for r in of(rows, "deconv k3", task))
        return free / max(0.01, mean(shared(r) for r in of(rows, "nearest", task)))

    k3, k4 = of(rows, "deconv k3"), of(rows, "deconv k4")
    ratios = [
        mean(shared(r) for r in of(rows, "deconv k4", t))
        / max(0.01, mean(map(shared, of(rows, "deconv k3", t))))
        for t in config["tasks"]
    ]
    clean = {
        task: all(r["lattice"]["single"] < config["visible"] for r in of(rows, "nearest", task))
        and all(shared(r) <= config["visible"] for r in of(rows, "nearest", task))
        and fewer(task) >= 5
        for task in config["tasks"]
    }
    return {
        "deconvolution": verdict(holds(all(shared(r) >= config["visible"] for r in k3)), said("deconv k3")),
        "even": verdict(
            holds(all(shared(r) >= config["visible"] for r in k4) and all(r > 1 / 3 for r in ratios)),
            said("deconv k4"),
        ),
        "resize": verdict(
            by_task(clean.values()),
            said("nearest")
            + "; weaker than k3 s2 by "
            + ", ".join(f"{fewer(t):.0f} ({t})" for t in config["tasks"]),
        ),
        "quality": quality(rows, config),
        "pictures": of_the_article(rows),
    }


def by_task(agree: Iterable[bool]) -> str:
    """Of a claim that is so in every task, in none, or in some."""
    seen = list(agree)
    return "depends on the task" if any(seen) and not all(seen) else holds(all(seen))


def quality(rows: list[dict[str, Any]], config: dict[str, Any]) -> dict[str, str]:
    """Whether resize-convolution costs fidelity."""
    close: list[bool] = []
    said = []
    for task in config["tasks"]:
        key = "loss" if task == "style" else "psnr"
        seen = {layer: [r[key] for r in of(rows, layer, task)] for layer in config["layers"]}
        gap = mean(seen["nearest"]) - mean(seen["deconv k4"])
        close.append(gap <= 0.1 * mean(seen["deconv k4"]) if task == "style" else gap >= -0.5)
        unit, digits = ("loss", 3) if task == "style" else ("dB", 2)
        said.append(f"{task} ({unit}): " + ", ".join(f"{k} {spread(v, digits)}" for k, v in seen.items()))
    return verdict(by_task(close), "; ".join(said))


def of_the_article(rows: list[dict[str, Any]]) -> dict[str, str]:
    seen = {r["article"]: r["lattice"] for r in rows if "article" in r}
    if not seen:
        return verdict(OPEN, "the article's pictures are not at hand")
    agree = all(any(v > 0 for v in s.values()) == ("artifacts" in name) for name, s in seen.items())
    words = (
        f"{name}: " + ", ".join(f"period {p} {s[f'amplitude_{p}']:.2f} levels" for p in PERIODS)
        for name, s in seen.items()
    )
    return verdict(holds(agree), "; ".join(words))


def draw(results: dict[str, Any], folder: Path) -> None:
    """Strength and fidelity per task and layer; pictures."""
    from lab.figures import COLOURS, axes, points, save
    from lab.pictures import show

    rows, config = results["rows"], results["config"]
    figure, panels = axes(len(config["tasks"]), 2, height=2.5)
    for column, task in enumerate(config["tasks"]):
        for line, (kind, said) in enumerate((("shared", "all pictures"), ("single", "one picture"))):
            groups = {
                layer: [
                    shared(r) if kind == "shared" else r["lattice"]["single"] for r in of(rows, layer, task)
                ]
                for layer in config["layers"]
            }
            points(panels[line][column], groups, colour=COLOURS[column], floor=0.01)
            panels[line][column].set(title=f"{task}, {said}", ylabel="grey levels", ylim=(0.008, 30))
            panels[line][column].axhline(config["visible"], color="grey", linestyle=":")
    save(figure, folder, "strength")
    figure, panels = axes(len(config["tasks"]), height=2.5)
    for column, task in enumerate(config["tasks"]):
        key = "loss" if task == "style" else "psnr"
        groups = {layer: [r[key] for r in of(rows, layer, task)] for layer in config["layers"]}
        points(panels[0][column], groups, colour=COLOURS[column])
        panels[0][column].set(title=task, ylabel="loss" if task == "style" else "PSNR (dB)")
    save(figure, folder, "fidelity")
    figure, panels = axes(len(config["layers"]), len(config["tasks"]), width=2.6, height=2.7)
    for line, task in enumerate(config["tasks"]):
        for column, layer in enumerate(config["layers"]):
            text = next(r["picture"] for r in of(rows, layer, task) if "picture" in r)
            show(panels[line][column], text, f"{task}, {layer}")
    save(figure, folder, "pictures")


EXPERIMENT = Experiment(Path(__file__).resolve().parent, tasks, measure, conclude, draw)

if __name__ == "__main__":
    main(EXPERIMENT)
