"""A small GAN on patches of photographs, measured on the way."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from lab.generator import CODE, Generator, samples
from lab.lattice import lattice
from lab.patches import TRAINING, patches
from lab.pictures import kept
from lab.upsamplers import spread_of
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

SPAN = (-1, 1)
#: Pictures of a mosaic: rows and columns.
MOSAIC = (2, 3)


@cache
def data(count: int, size: int) -> Tensor:
    """(count, 3, size, size) in -1..1, the same for every network and seed."""
    return patches(TRAINING, count, size, torch.Generator().manual_seed(0)) * 2 - 1


def halving(kind: str, a: int, b: int) -> list[nn.Module]:
    """One step of a discriminator: strided as most are, or pooled, which passes gradients evenly."""
    if kind == "k4 s2":
        return [spectral_norm(nn.Conv2d(a, b, 4, 2, 1)), nn.LeakyReLU(0.2)]
    assert kind == "k3 pooled", kind
    return [spectral_norm(nn.Conv2d(a, b, 3, 1, 1)), nn.LeakyReLU(0.2), nn.AvgPool2d(2)]


def discriminator(kind: str, width: int, size: int) -> nn.Sequential:
    """Three steps of halving, then one number, with spectral norm (Miyato et al. 2018)."""
    steps = [*halving(kind, 3, width), *halving(kind, width, 2 * width), *halving(kind, 2 * width, 4 * width)]
    return nn.Sequential(*steps, nn.Flatten(), spectral_norm(nn.Linear(4 * width * (size // 8) ** 2, 1)))


def train(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """One row: curves over config["at"], and a mosaic."""
    ours, row = trained(task, config)
    if task["seed"] == config["seeds"][0] and task["discriminator"] == "k4 s2":
        row["mosaic"] = kept(mosaic(samples(ours, 64, 1000 + task["seed"])), SPAN)
    return row


def trained(task: dict[str, Any], config: dict[str, Any]) -> tuple[Generator, dict[str, Any]]:
    """Hinge loss, Adam, one step of each network in turn; the generator, and its curves."""
    torch.manual_seed(task["seed"])
    size = 4 * config["base"]
    real = data(config["patches"], size)
    ours = Generator(*task["layers"], base=config["base"], width=config["width"])
    judge = discriminator(task["discriminator"], config["critic"], size)
    adam = [torch.optim.Adam(n.parameters(), config["rate"], (0.5, 0.9)) for n in (ours, judge)]
    seen: dict[str, list[float]] = {}
    for step in range(config["steps"] + 1):
        if step in config["at"]:
            for key, value in look(ours, real, task["seed"], config).items():
                seen.setdefault(key, []).append(value)
        loss = update(ours, judge, adam, real[torch.randint(len(real), (config["batch"],))])
        if step in config["at"]:
            seen.setdefault("loss_of_judge", []).append(round(loss, 3))
    return ours, {"steps": list(config["at"]), **seen}


def update(ours: nn.Module, judge: nn.Module, adam: list[torch.optim.Adam], real: Tensor) -> float:
    """One step of the discriminator, then of the generator; gives the former's loss, 2 if it is blind."""
    false = ours(torch.randn(len(real), CODE))
    error = (1 - judge(real)).relu().mean() + (1 + judge(false.detach())).relu().mean()
    adam[1].zero_grad()
    error.backward()
    adam[1].step()
    judge.requires_grad_(False)
    adam[0].zero_grad()
    (-judge(ours(torch.randn(len(real), CODE))).mean()).backward()
    adam[0].step()
    judge.requires_grad_(True)
    return float(error.detach())


def look(ours: Generator, real: Tensor, seed: int, config: dict[str, Any]) -> dict[str, float]:
    """Lattice of fresh pictures, grey levels; gain spreads; contrast over pictures by the data's."""
    pictures = samples(ours, config["count"], 1000 + seed)
    found = lattice(pictures, SPAN)
    return {
        # What one picture shows on average, of both periods together.
        "strengths": found["single"],
        **{f"{kind}_{p}": found[f"{kind}_{p}"] for p in (2, 4) for kind in ("single", "amplitude")},
        "spread_first": round(spread_of(ours.up1), 4),
        "spread_second": round(spread_of(ours.up2), 4),
        "diversity": round(float(pictures.std(0).mean() / real.std(0).mean()), 3),
    }


def mosaic(pictures: Tensor) -> Tensor:
    """(3, rows x H, columns x W) of the first ones."""
    rows, columns = MOSAIC
    return torch.cat([torch.cat(list(pictures[r * columns :][:columns]), 2) for r in range(rows)], 1)
