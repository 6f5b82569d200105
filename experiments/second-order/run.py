"""Equal gains, unequal variances, a nonlinearity: `python run.py`. See README.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab.runs import Experiment, main
from second_order_claims import conclude
from second_order_figures import draw

#: Grey levels of one standard deviation of an output, as for gradients (`docs/conventions.md`).
DEVIATION = 42.5


def tasks(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The law: every layer, input and seed; the cures; the generators of before-training; released ones."""
    from lab.cases import CASES

    seeds = config["seeds"]
    law = [
        {"kind": "law", "layer": layer, "drive": drive, "seed": seed}
        for layer in config["layers"]
        for drive in config["drives"]
        for seed in seeds
    ]
    cures = [
        {"kind": "cures", "drive": drive, "depth": depth, "seed": seed}
        for drive in config["cured"]
        for depth in (1, 2)
        for seed in seeds
    ]
    generators = [{"kind": "generator", "swap": s, "seed": seed} for s in config["swaps"] for seed in seeds]
    style = [{"kind": "style", "seed": seed} for seed in seeds[:3]]
    released = [{"kind": "released", "network": n, "seed": seeds[0]} for n in config["released"]]
    return law + cures + generators + style + (released if CASES.exists() else [])


def measure(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """One row."""
    import torch

    torch.manual_seed(task["seed"])
    kinds = {"law": law, "cures": cures, "generator": generator, "style": style, "released": of_released}
    return kinds[task["kind"]](task, config)


def law(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Spread of deviations over the phases, and the lattice behind every nonlinearity: predicted, seen."""
    import torch
    from phase_variances import FUNCTIONS, expected, normalised, ripple, spread, through
    from stacks import CROP, Stack, inputs

    channels = config["channels"]
    stack = Stack(task["layer"], channels)
    maps, covariance = inputs(task["drive"], config["count"], channels, config["size"], task["seed"])
    row: dict[str, Any] = {"predicted": {}, "measured": {}}
    mean, deviation = normalised(stack.kernel, maps.double().mean((0, 2, 3)), covariance)
    with torch.no_grad():
        up = stack.up(maps)[..., CROP:-CROP, CROP:-CROP]
        parts = [up[..., i::2, j::2].std((0, 2, 3)) for i in range(2) for j in range(2)]
        seen = torch.stack(parts, 1)
        seen = seen / seen.square().mean(1, keepdim=True).sqrt()
        if task["drive"] != "constant":
            row["spread"] = [round(spread(deviation), 4), round(spread(seen[..., None]), 4)]
        for name, function in FUNCTIONS.items():
            output = stack(maps, function)
            row["measured"][name], size = amplitude(output)
            weight = stack.convs[-1].weight / size.view(-1, 1, 1, 1)
            pattern = expected(function, mean, deviation)
            constant = task["drive"] == "constant"
            row["predicted"][name] = (
                0.0 if constant else round(DEVIATION * ripple(through(pattern, weight)), 3)
            )
    return row


def cures(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The lattice behind ReLU with nearest resizing, and with what may cure it."""
    import torch
    from phase_variances import FUNCTIONS
    from stacks import Stack, inputs, normed_by_phase

    from uncheck.layers import Hold

    relu, same = torch.relu, torch.nn.Identity()
    listed = {
        "as it is": ("nearest", relu, same, same),
        "identity for ReLU": ("nearest", FUNCTIONS["identity"], same, same),
        "sub-pixel ICNR": ("sub-pixel ICNR", relu, same, same),
        "smooth k4 order 2": ("smooth k4 order 2", relu, same, same),
        "smooth k6 order 3": ("smooth k6 order 3", relu, same, same),
        "linear": ("linear", relu, same, same),
        "norm of each phase": ("nearest", relu, normed_by_phase, same),
        "hold before": ("nearest", relu, Hold(2), same),
        "hold after": ("nearest", relu, same, Hold(2)),
        "hold after, order 1": ("nearest", relu, same, Hold(2, 1)),
        "hold after, order 2": ("nearest", relu, same, Hold(2, 2)),
    }
    maps, _ = inputs(task["drive"], config["count"], config["channels"], config["size"], task["seed"])
    out = {}
    for name, (layer, function, before, after) in listed.items():
        torch.manual_seed(task["seed"])
        stack = Stack(layer, config["channels"], task["depth"])
        with torch.no_grad():
            out[name] = amplitude(stack(maps, function, before, after))[0]
    return {"cures": out}


def amplitude(output: Any) -> tuple[float, Any]:
    """Grey levels at period 2, 42.5 for one deviation of each channel; and the deviations."""
    from lab.lattice import together
    from stacks import CROP

    inner = output[..., CROP:-CROP, CROP:-CROP]
    size = inner.std((0, 2, 3), correction=0)
    centred = inner - inner.mean((0, 2, 3), keepdim=True)
    levels = centred / size.view(1, -1, 1, 1) * DEVIATION
    return round(together(levels, (-127.5, 127.5), 2), 3), size


def generator(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The generator without deconvolution of before-training, with a swap."""
    from lab.generator import samples
    from lab.lattice import together
    from swapped import Swapped, predicted

    network = Swapped(task["swap"], base=config["base"], width=config["width"])
    pictures = samples(network, config["pictures"], task["seed"])
    row = {f"amplitude_{period}": together(pictures, (-1, 1), period) for period in (2, 4)}
    if task["swap"] == "as it is":
        row["predicted_4"] = round(predicted(network, pictures), 3)
    return row


def style(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    from trained_style import evened

    return {"levels": evened(task["seed"], smoke=config["pictures"] < 32)}


def of_released(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    from swapped import released

    amplitudes, there = released(task["network"], config["pictures"])
    return {"amplitudes": amplitudes, "there": there}


EXPERIMENT = Experiment(Path(__file__).resolve().parent, tasks, measure, conclude, draw)

if __name__ == "__main__":
    main(EXPERIMENT)
