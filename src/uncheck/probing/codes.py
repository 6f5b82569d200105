"""Codes: signals without content that places could tell, and how to draw more of them."""

from __future__ import annotations

import torch
from torch import Tensor

from uncheck.probing.changes import SHORT
from uncheck.probing.inputs import is_white

#: A normal distribution of mean below this and deviation within this of 1 is the standard one.
NEARLY = 0.25


def is_drawn(signal: Tensor, axes: tuple[int, ...]) -> bool:
    """Test whether a signal has no content that its places could tell: codes, tokens and white noise."""
    if not axes or max(signal.shape[a] for a in axes) < SHORT:
        return True
    long = [a for a in axes if signal.shape[a] >= SHORT]
    return all(is_white(signal.movedim(a, -1)) for a in long)


def draw(signal: Tensor, base: list[int], axes: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return a signal like the given one, a sample for each of those listed in `base`.

    Normal numbers of the same mean and deviation, within the same range; where those of the signal are not
    normal, its samples with their numbers in another order.
    """
    if signal.is_floating_point() and _looks_normal(signal):
        # Few samples tell little of single channels.
        over = (0, *axes) if signal[:, 0].numel() >= 64 else tuple(range(signal.dim()))
        x = signal.float()
        mean, deviation = x.mean(over, keepdim=True), x.std(over, keepdim=True, correction=0)
        if float(x.mean().abs()) < NEARLY and abs(float(x.std(correction=0)) - 1) < NEARLY:
            mean, deviation = torch.zeros_like(mean), torch.ones_like(deviation)
        noise = torch.randn((len(base), *signal.shape[1:]), generator=generator).to(x.device)
        return (noise * deviation + mean).clamp(x.min(), x.max()).to(signal.dtype)
    return torch.cat([_reordered(signal[i : i + 1], axes, generator) for i in base])


def _looks_normal(signal: Tensor) -> bool:
    """Test whether few values repeat and the fourth moment is near three squared variances."""
    x = signal.double().flatten()
    variance = float((x - x.mean()).square().mean())
    if len(x) < 8 or variance == 0.0 or int((x.sort().values.diff() == 0).sum()) > 0.1 * len(x):
        return False
    excess = float((x - x.mean()).pow(4).mean()) / variance**2 - 3
    return bool(abs(excess) < 1 + 10 / len(x) ** 0.5)


def _reordered(sample: Tensor, axes: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return one sample with its numbers in another order; marks of 0 and 1 keep to themselves."""
    if axes and max(sample.shape[a] for a in axes) > 1:
        # Vectors at places stay whole.
        places = sample.movedim(axes, tuple(range(1, len(axes) + 1)))
        flat = places.flatten(1, len(axes))
        mixed = flat[:, torch.randperm(flat.shape[1], generator=generator).to(sample.device)]
        return mixed.reshape(places.shape).movedim(tuple(range(1, len(axes) + 1)), axes)
    flat = sample.flatten().clone()
    marks = (flat == 0) | (flat == 1)
    for where in (marks, ~marks):
        places = where.nonzero()[:, 0]
        flat[places] = flat[places][torch.randperm(len(places), generator=generator).to(sample.device)]
    return flat.reshape(sample.shape)
