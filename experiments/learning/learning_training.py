"""Super-resolution by 4 without an adversary: photographs from their reduced copies, measured on the way."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from lab.lattice import alone, lattice
from lab.patches import HELD_OUT, TRAINING, patches
from lab.upsamplers import UPSAMPLERS, spread_of
from torch import Tensor, nn

from uncheck.layers import SmoothConvTranspose

SPAN = (0, 1)
FACTOR = 4


@cache
def pictures(config: tuple[int, int, int]) -> tuple[Tensor, Tensor]:
    """Training and held-out photographs, the same for every network and seed."""
    generator = torch.Generator().manual_seed(0)
    count, size, held_out = config
    return patches(TRAINING, count, size, generator), patches(HELD_OUT, held_out, 2 * size, generator)


def tied(layer: nn.ConvTranspose2d) -> SmoothConvTranspose:
    """The same layer on the projection of the same weights: equal phase gains now and ever after."""
    even = SmoothConvTranspose(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        layer.stride,
        layer.padding,
        layer.output_padding,
    )
    even.load_state_dict(layer.state_dict())
    return even


def network(kernel: int, even: bool, width: int, seed: int) -> nn.Sequential:
    """conv k3, ReLU, deconvolution, ReLU, deconvolution to the picture; tied ones of the same weights."""
    torch.manual_seed(seed)
    up = UPSAMPLERS[f"deconv k{kernel}"]
    layers = [
        nn.Conv2d(3, width, 3, padding=1, padding_mode="replicate"),
        nn.ReLU(),
        up(width, width),
        nn.ReLU(),
        up(width, 3),
    ]
    return nn.Sequential(*(tied(m) if even and isinstance(m, nn.ConvTranspose2d) else m for m in layers))


@dataclass
class Training:
    """A network on its way: its optimiser, the draws of its pictures, and the steps done."""

    network: nn.Sequential
    adam: torch.optim.Adam
    drawn: torch.Generator
    done: int = 0

    def branch(self) -> Training:
        """Another that goes on from here, with the same draws."""
        network, adam = copy.deepcopy((self.network, self.adam))
        return Training(network, adam, torch.Generator().set_state(self.drawn.get_state()), self.done)

    def step(self, photographs: Tensor, batch: int) -> Tensor:
        """One step of L1; gives the loss."""
        target = photographs[torch.randint(len(photographs), (batch,), generator=self.drawn)]
        error = F.l1_loss(self.network(F.avg_pool2d(target, FACTOR)), target)
        self.adam.zero_grad()
        error.backward()
        self.adam.step()
        self.done += 1
        return error.detach()


def train(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Curves over config["at"] at one learning rate, `settled` after it fell to zero from there on.

    `longer`, of some: curves over config["longer"] at the learning rate kept.
    """
    photographs, held_out = pictures((config["patches"], config["size"], config["held_out"]))
    ours = network(task["kernel"], task["tied"], config["width"], task["seed"])
    adam = torch.optim.Adam(ours.parameters(), config["rate"], fused=True)
    mine = Training(ours, adam, torch.Generator().manual_seed(task["seed"]))
    row = curves(mine, config["at"], photographs, held_out, config)
    row["settled"] = settled(mine.branch(), photographs, held_out, config)
    if task["kernel"] in config["longer_kernels"] and not task["tied"]:
        row["longer"] = curves(mine, config["longer"], photographs, held_out, config)
    return row


def curves(
    mine: Training, at: list[int], photographs: Tensor, held_out: Tensor, config: dict[str, Any]
) -> dict[str, Any]:
    """Train to each of the steps `at` and look."""
    seen: dict[str, Any] = {"steps": list(at)}
    for stop in at:
        losses = [mine.step(photographs, config["batch"]) for _ in range(stop - mine.done)]
        found = {**look(mine.network, held_out, config), "training_loss": mean_of(losses)}
        for key, value in found.items():
            seen.setdefault(key, []).append(value)
    return seen


def settled(
    mine: Training, photographs: Tensor, held_out: Tensor, config: dict[str, Any]
) -> dict[str, float]:
    """What is there after config["settling"] steps in which the learning rate falls to zero."""
    for i in range(config["settling"]):
        mine.adam.param_groups[0]["lr"] = config["rate"] * (1 - i / config["settling"])
        mine.step(photographs, config["batch"])
    return look(mine.network, held_out, config)


@torch.no_grad()
def look(ours: nn.Sequential, held_out: Tensor, config: dict[str, Any]) -> dict[str, float]:
    """Lattice (grey levels) on held-out pictures and on flat colour; gain spreads; held-out loss."""
    output = ours(F.avg_pool2d(held_out, FACTOR))
    found = lattice(output, SPAN)
    colours = held_out[: config["flat"]].mean((2, 3))[:, :, None, None]
    inputs = colours.expand(-1, -1, *(n // FACTOR for n in held_out.shape[2:]))
    # The middle, which no border reaches.
    edge = held_out.shape[2] // 4
    plain = ours(inputs)[:, :, edge:-edge, edge:-edge]
    return {
        # What one held-out picture shows on average, of both periods together.
        "strengths": found["single"],
        # What all have in common; of that only what contents cannot have left by chance.
        "shared": found["strength"],
        **{f"{kind}_{p}": found[f"{kind}_{p}"] for p in (2, 4) for kind in ("single", "amplitude", "p")},
        "flat": alone(plain, SPAN, (2, 4)),
        **{f"flat_{p}": alone(plain, SPAN, (p,)) for p in (2, 4)},
        "spread_first": round(spread_of(ours[2]), 4),
        "spread_second": round(spread_of(ours[4]), 4),
        "loss": round(float(F.l1_loss(output, held_out)), 5),
    }


def mean_of(losses: list[Tensor]) -> float | None:
    """Of the steps since the last measurement; none before the first step."""
    return round(float(torch.stack(losses).mean()), 5) if losses else None
