"""Decoders that differ in how they pad, and what their borders are."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from uncheck.layers import ResizeConv
from uncheck.probing.edges import edge_of_constant, edge_of_crop

#: Rings whose errors are kept.
RINGS = 8


def upsampler(name: str, a: int, b: int) -> nn.Module:
    """ "PADDING kK": nearest-neighbour resizing by 2, padding, convolution; "deconv kK": stride 2."""
    kind, size = name.split(" k")
    k = int(size)
    if kind == "deconv":
        return nn.ConvTranspose2d(a, b, k, 2, 1, 1 if k % 2 else 0)
    return ResizeConv(a, b, k, padding_mode=kind)


def decoder(name: str, stages: int, width: int) -> nn.Sequential:
    """Three channels to three, 2^stages times larger."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 1), nn.ReLU()]
    for _ in range(stages - 1):
        layers += [upsampler(name, width, width), nn.ReLU()]
    return nn.Sequential(*layers, upsampler(name, width, 3))


def as_levels(y: Tensor, scale: float) -> NDArray[np.float32]:
    """(N, C, H, W) to (N, H, W, C), times `scale`."""
    return np.asarray((y.detach() * scale).permute(0, 2, 3, 1).numpy(), np.float32)


def rings(size: int) -> Tensor:
    """(size, size): distance from the border."""
    line = torch.minimum(torch.arange(size), torch.arange(size).flip(0))
    return torch.minimum(line[:, None], line[None, :])


def by_ring(squares: Tensor, count: int = RINGS) -> list[float]:
    """Root of the mean over the pixels of each ring of (H, W) squares."""
    distance = rings(squares.shape[-1])
    return [round(float(squares[distance == d].mean().sqrt()), 4) for d in range(count)]


@torch.no_grad()
def borders(
    model: nn.Module, stages: int, pictures: Tensor, size: int, scale: float | None
) -> dict[str, Any]:
    """Depth and strength on flat colour and where `pictures` (N, 3, n, n) are cut to the middle size x size.

    In grey levels of `scale` per unit; None: 42.5 per standard deviation of the output.
    """
    whole = model(pictures)
    scale = scale if scale is not None else 42.5 / max(float(whole.std()), 1e-30)
    start = (pictures.shape[-1] - size) // 2
    part = model(pictures[..., start : start + size, start : start + size])
    factor = 2**stages
    real = edge_of_crop(as_levels(whole, scale), as_levels(part, scale), (start * factor,) * 2)
    colour = pictures.mean((0, 2, 3)).reshape(1, 3, 1, 1).expand(1, 3, 2 * size, 2 * size)
    flat = edge_of_constant(as_levels(model(colour), scale), [(factor, factor)])
    inside = whole[..., start * factor : (start + size) * factor, start * factor : (start + size) * factor]
    changed = ((part - inside) * scale).square().mean((0, 1))
    return {
        "sigma": round(float(whole.std()) * scale, 2),
        "flat": {"depth": flat.depth, "strength": round(flat.strength, 3)} if flat else None,
        "cut": {"depth": real.depth, "strength": round(real.strength, 3)} if real else None,
        "cut_by_ring": by_ring(changed, min(RINGS, size * factor // 2)),
    }


def trained(model: nn.Module, pool: Tensor, steps: int, seed: int) -> None:
    """Squared error against the patches from their 4 x 4 averages, Adam, batches of 16, rate falling to 0."""
    draw = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(steps, 1))
    small = F.avg_pool2d(pool, 4)
    for _ in range(steps):
        chosen = torch.randint(len(pool), (16,), generator=draw)
        optimiser.zero_grad()
        F.mse_loss(model(small[chosen]), pool[chosen]).backward()
        optimiser.step()
        schedule.step()


@torch.no_grad()
def errors(model: nn.Module, patches: Tensor) -> dict[str, Any]:
    """Grey levels on patches (N, 3, H, W): squared error of all; per ring RMS error and RMS mean error.

    The mean error is that over the pictures at each pixel: what all outputs share.
    """
    difference = (model(F.avg_pool2d(patches, 4)) - patches) * 255
    return {
        "square": round(float(difference.square().mean()), 2),
        "by_ring": by_ring(difference.square().mean((0, 1))),
        "mean_by_ring": by_ring(difference.mean(0).square().mean(0)),
    }
