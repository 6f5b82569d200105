"""Strength of the lattice against the distance from the mean colour: `python run.py`. See README.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "gan"))

from bright_claims import conclude
from bright_figures import draw
from lab.runs import Experiment, main


def tasks(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Generators, untrained and trained; layers without any activation; released networks."""
    from lab.cases import CASES

    seeds = config["seeds"]
    ours = [{"kind": "generator", "trained": t, "seed": s} for t in (False, True) for s in seeds]
    zero = [{"kind": "zero", "layer": layer, "seed": s} for layer in config["layers"] for s in seeds]
    names = config["released"] if CASES.exists() else []
    gans = [{"kind": "gan", "seed": s} for s in seeds]
    return [*ours, *zero, *gans, *({"kind": "released", "network": n, "seed": seeds[0]} for n in names)]


def measure(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """One row."""
    kinds = {"generator": generator, "zero": zero, "gan": gan, "released": released}
    return kinds[task["kind"]](task, config)


def generator(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Dependence on colour at period 2, and what moving the colour by bias or by activations does."""
    import torch
    from colour_networks import before_last, codes_of, trained
    from lab.generator import Generator

    row: dict[str, Any] = {}
    if task["trained"]:
        net, codes, loss = trained(config, task["seed"])
        codes, row["loss"] = codes[: config["count"]], round(loss, 4)
    else:
        torch.manual_seed(task["seed"])
        net = Generator("deconv k3", "deconv k3", base=config["base"], width=config["width"])
        codes = codes_of(config["count"], task["seed"])
    activations = before_last(net, codes)
    row |= on_colour(net, activations, picture=task["seed"] == config["seeds"][0])
    return {**row, **moved(net, activations, config, task["seed"])}


def on_colour(net: Any, activations: Any, *, picture: bool) -> dict[str, Any]:
    """Dependence on colour at period 2, behind the tanh and before it; and a picture if wanted."""
    import torch
    from colour_networks import CROP, levels
    from colour_windows import dependence
    from lab.pictures import kept

    with torch.no_grad():
        raw, bias = net.up2(activations), net.up2.bias.double()
    row: dict[str, Any] = {}
    for key, made, own in (("dependence", raw.tanh(), bias.tanh()), ("before_tanh", raw, bias)):
        row[key] = dependence(levels(made, (-1, 1), CROP), 2, (127.5 * (1 + own.detach())).numpy())
    if picture:
        row["picture"] = kept(raw.tanh()[0], (-1, 1))
    return row


def gan(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """A generator trained against a discriminator, as in experiments/gan."""
    from colour_networks import before_last, codes_of
    from gan_training import trained

    settings = {**config["gan"], "at": []}
    network = {"layers": ["deconv k3", "deconv k3"], "discriminator": "k4 s2", "seed": task["seed"]}
    net, _ = trained(network, settings)
    activations = before_last(net, codes_of(settings["pictures"], 1000 + task["seed"]))
    return on_colour(net, activations, picture=task["seed"] == config["seeds"][0])


def moved(net: Any, activations: Any, config: dict[str, Any], seed: int) -> dict[str, Any]:
    """Colour moved by scaled activations, and by the bias: [amount, distance of colour, amplitude, in tanh].

    Amplitudes at period 2 in grey levels, as if there were no tanh, and behind it. The distance is that of
    the mean colour, behind the tanh, from the colour of the bias alone.
    """
    import torch
    from colour_networks import CROP

    colour = torch.randn(3, generator=torch.Generator().manual_seed(seed))
    direction = (colour / colour.abs().max()).view(1, 3, 1, 1)
    own = net.up2.bias.detach().view(1, 3, 1, 1)
    out: dict[str, Any] = {"by_activations": [], "by_bias": []}
    with torch.no_grad():
        for factor in config["factors"]:
            raw = net.up2(factor * activations)[..., CROP:-CROP, CROP:-CROP]
            out["by_activations"].append([factor, *both(raw, own)])
        as_is = net.up2(activations)[..., CROP:-CROP, CROP:-CROP]
        for shift in config["shifts"]:
            out["by_bias"].append([shift, *both(as_is + shift * direction, own)])
    return out


def both(raw: Any, bias: Any) -> list[float]:
    from lab.lattice import together

    centre = (raw.tanh().mean((0, 2, 3), keepdim=True) - bias.tanh()) * 127.5
    amplitudes = (together(raw, (-1, 1), 2), together(raw.tanh(), (-1, 1), 2))
    return [round(float(centre.norm()), 2), *(round(a, 4) for a in amplitudes)]


def zero(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The lattice that a layer at torch's initialisation makes of no activation at all."""
    import torch
    from lab.upsamplers import UPSAMPLERS, kernel_of

    from uncheck.phases import ripple_amplitude

    torch.manual_seed(task["seed"])
    kernel = kernel_of(UPSAMPLERS[task["layer"]](config["width"] // 2, 3))
    nothing = torch.zeros(kernel.in_channels)
    return {"amplitude": round(127.5 * float(ripple_amplitude(kernel, nothing).max()), 4)}


def released(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """A released network on photographs or codes; and on flat colours where it takes such."""
    from colour_networks import RELEASED, outputs
    from colour_windows import dependence

    name = task["network"]
    pictures, bias = outputs(name, config["codes"])
    row: dict[str, Any] = {"dependence": dependence(pictures, RELEASED[name][1], bias)}
    if name in config["flat"]:
        from flat_colours import on_flat

        row["flat"] = on_flat(name, pictures.mean((0, 1, 2)), bias)
    return row


EXPERIMENT = Experiment(Path(__file__).resolve().parent, tasks, measure, conclude, draw)

if __name__ == "__main__":
    main(EXPERIMENT)
