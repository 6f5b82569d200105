"""Sub-pixel layers one pixel at a time, and what tied phases mean; shares no code with uncheck.layers."""

from itertools import product

import torch
from torch import Tensor

from oracles.phases_torch import CONV, shuffle_by_loops


def subpixel_by_loops(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    factor: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int,
) -> Tensor:
    """Convolve with zero padding, then move every channel to its pixels by loops."""
    y = CONV[len(factor)](x, weight, bias, padding=padding, dilation=dilation, groups=groups)
    return shuffle_by_loops(y, factor)


def untied(values: Tensor, out_channels: int, factor: tuple[int, ...]) -> float:
    """Give the largest difference between phases of one channel, by the channel order c r r + i r + j."""
    worst = 0.0
    for channel in range(out_channels):
        seen = []
        for phase in product(*map(range, factor)):
            number = channel
            for p, f in zip(phase, factor, strict=True):
                number = number * f + p
            seen.append(values[number])
        for one in seen:
            worst = max(worst, float((one - seen[0]).abs().max()))
    return worst


def lattice_of_flat(y: Tensor, factor: tuple[int, ...], border: int) -> float:
    """Give the largest difference within a channel, `border` pixels away from the ends; y of a flat input."""
    inner = y[(..., *(slice(border * f, -border * f) for f in factor))]
    flat = inner.flatten(2)
    return float((flat.amax(2) - flat.amin(2)).max())


def flat(channels: int, size: tuple[int, ...], value: float) -> Tensor:
    """Give a constant picture with another constant per channel."""
    levels = value * (1 + torch.arange(channels))
    return levels.reshape(1, -1, *[1] * len(size)).expand(1, channels, *size).contiguous()
