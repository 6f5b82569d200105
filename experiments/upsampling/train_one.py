"""One training: a candidate, a loss, a seed; what the network does at several steps on held-out pictures."""

from __future__ import annotations

import importlib.util
import math
import time
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from candidates import kernel_of, named
from phase_statistics import second_order
from small_network import SmallNetwork
from torch import Tensor, nn

import uncheck
from uncheck.layers import fold_hold
from uncheck.measuring.frequencies import plan
from uncheck.measuring.sets import set_lattice, set_sums
from uncheck.phases import gain_spread

STEPS, CROP, BATCH, RATE = 400, 64, 8, 2e-3
AT = (0, 0.05, 0.1, 0.2, 0.4, 0.7, 1)
#: Weight of the texture loss beside the mean absolute difference.
LOSSES = {"L1": 0.0, "L1 + texture": 0.1}

SIDE = 192
#: Photographs not trained on, with the corners of SIDE x SIDE crops.
HELD_OUT = {
    "astronaut": ((0, 96), (200, 200)),
    "coffee": ((60, 170), (140, 0)),
    "stereo_motorcycle": ((100, 100), (200, 400)),
}
PERIODS = (2, 4)
GREYS = (0.2, 0.5, 0.8)


@cache
def demo() -> ModuleType:
    """The training of the demo network: its photographs, its target and its texture loss."""
    path = Path(__file__).resolve().parents[1] / "demo-network" / "train.py"
    spec = importlib.util.spec_from_file_location("demo_network_train", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def held_out() -> tuple[Tensor, Tensor]:
    """Inputs and targets, (6, 3, SIDE, SIDE)."""
    from skimage import data

    crops = []
    for name, corners in HELD_OUT.items():
        pixels = getattr(data, name)()
        pixels = pixels[0] if isinstance(pixels, tuple) else pixels
        picture = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255
        crops += [picture[:, i : i + SIDE, j : j + SIDE] for i, j in corners]
    inputs = torch.stack(crops)
    return inputs, demo().oil_paint(inputs)


def texture_loss() -> Any:
    """The demo's texture loss with fewer filters."""
    loss = demo().Texture()
    generator = torch.Generator().manual_seed(1)
    bank = torch.randn(16, 3, 5, 5, generator=generator)
    bank = bank - bank.mean((2, 3), keepdim=True)
    loss.banks = [bank / bank.flatten(1).norm(dim=1)[:, None, None, None]]
    return loss


def train(name: str, loss: str, seed: int, steps: int = STEPS) -> dict[str, Any]:
    """Train and measure on the way; one thread."""
    torch.set_num_threads(1)
    network, texture, crops = SmallNetwork(named(name), seed), texture_loss(), batches(seed)
    see_one_batch(network, next(crops))
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    points, spent, at = [look(network, 0)], 0.0, {round(part * steps) for part in AT} | {steps}
    for step in range(1, steps + 1):
        began = time.perf_counter()
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * (step - 1) / steps))
        x = next(crops)
        target, output = demo().oil_paint(x), network(x)
        error = F.l1_loss(output, target)
        if LOSSES[loss]:
            error = error + LOSSES[loss] * texture(output, target)
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        spent += time.perf_counter() - began
        if step in at:
            points.append(look(network, step))
    record = {"candidate": name, "loss": loss, "seed": seed, "seconds": round(spent, 1), "points": points}
    if isinstance(network.up1[0], nn.Sequential):
        for up in (network.up1, network.up2):
            up[0] = fold_hold(up[0][0], up[0][1])
        record["folded_psnr"] = look(network, steps)["psnr"]
    return record


def batches(seed: int) -> Any:
    """The demo's crops, smaller."""
    demo().CROP, demo().BATCH = CROP, BATCH
    return demo().batches(seed)


def see_one_batch(network: nn.Module, x: Tensor) -> None:
    """Give the BatchNorms statistics, so that the untrained network can be looked at too."""
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    usual = [m.momentum for m in norms]
    for m in norms:
        m.momentum = 1.0
    with torch.no_grad():
        network.train()(x)
    for m, momentum in zip(norms, usual, strict=True):
        m.momentum = momentum


def look(network: SmallNetwork, step: int) -> dict[str, Any]:
    """Error, lattice and phase statistics on the held-out pictures; lattice in grey levels."""
    network.eval()
    inputs, targets = held_out()
    seen: dict[str, Tensor] = {}
    handles = [
        module.register_forward_hook(lambda _m, _x, y, key=key: seen.__setitem__(key, y))
        for stage, up in (("up1", network.up1), ("up2", network.up2))
        for key, module in ((f"{stage}.before", up[0]), (f"{stage}.after", up))
    ]
    with torch.no_grad():
        outputs = network(inputs)
        for handle in handles:
            handle.remove()
        plain = network(torch.stack([torch.full((3, 96, 96), grey) for grey in GREYS]))
    network.train()
    stages = [
        {
            "gain_spread": gain_spread(kernel_of(up[0])),
            **second_order(seen[f"{stage}.before"], seen[f"{stage}.after"]),
        }
        for stage, up in (("up1", network.up1), ("up2", network.up2))
    ]
    return {
        "step": step,
        "l1": round(float(F.l1_loss(outputs, targets)), 5),
        "psnr": round(float((-10 * (outputs - targets).square().mean((1, 2, 3)).log10()).mean()), 3),
        "contrast": round(float(255 * outputs.std((2, 3)).mean()), 2),
        **lattices(outputs),
        "flat": round(max(flat_lattice(p) for p in plain), 3),
        "stages": [{k: round(v, 4) for k, v in s.items()} for s in stages],
    }


def lattices(outputs: Tensor) -> dict[str, Any]:
    """At the default thresholds: of the single pictures, and of all together."""
    arrays = outputs.permute(0, 2, 3, 1).numpy()
    found = uncheck.measure(arrays, periods=PERIODS, span=(0, 1))
    # what measure(together=True) finds, without its search for the grid of JPEG files, which is slow
    scheme = plan(arrays.shape[1:3], PERIODS)
    shared = set_lattice(set_sums(255 * arrays, scheme), scheme)
    return {
        "strengths": [round(image.strength, 3) for image in found.images],
        "shared": round(shared.strength, 3),
        "shared_periods": {"x".join(map(str, c.period)): round(c.amplitude, 3) for c in shared.present},
    }


def flat_lattice(output: Tensor) -> float:
    """Of what the network makes of one grey: (3, 96, 96) without its border, where nothing else varies."""
    inside = output[:, 32:64, 32:64].permute(1, 2, 0).numpy()
    return uncheck.measure(inside, periods=PERIODS, span=(0, 1), threshold=0.01).images[0].strength
