"""Equal gains from what a layer does to pictures; shares no code with uncheck.layers or uncheck.phases."""

from collections.abc import Callable
from itertools import product

import numpy as np
import torch
from torch import Tensor

from oracles.phases_fourier import alias_rows, nearest


def project_by_frequencies(
    weight: Tensor, stride: tuple[int, ...], dilation: tuple[int, ...], order: int
) -> Tensor:
    """Solve for the nearest weight, (a, b, *k) in float64, whose spectrum vanishes at all aliases."""
    size = tuple(weight.shape[2:])
    full = tuple(d * (k - 1) + 1 for d, k in zip(dilation, size, strict=True))
    rows = alias_rows(full, stride, order)
    # of the dilated kernel only the taps may change
    taps = [
        int(np.ravel_multi_index(tuple(d * t for d, t in zip(dilation, tap, strict=True)), full))
        for tap in product(*map(range, size))
    ]
    rows = rows[:, taps]
    result = torch.empty_like(weight)
    for a, b in product(range(weight.shape[0]), range(weight.shape[1])):
        h = weight[a, b].numpy().flatten()
        result[a, b] = torch.from_numpy(nearest(h, rows, np.eye(len(h)))).reshape(size)
    return result


def power_off_mean(y: Tensor, stride: tuple[int, ...], border: int) -> float:
    """Give the share of the power of y, borders off, that is in the means of the phases less their mean."""
    phases = phase_values(y, stride, border).mean(-1)
    ripple = phases - phases.mean(0, keepdim=True)
    return float(ripple.square().mean() / y.square().mean())


def phase_variances(y: Tensor, stride: tuple[int, ...], border: int) -> Tensor:
    """Give the variance of each phase, over everything else, (phases,)."""
    return phase_values(y, stride, border).flatten(1).var(1)


def phase_values(y: Tensor, stride: tuple[int, ...], border: int) -> Tensor:
    """Give y (batch, channels, *size) sorted by phase: (phases, channels, pixels), `border` periods off."""
    columns = []
    for phase in product(*map(range, stride)):
        cut = tuple(
            slice(border * s + p, (n // s - border) * s, s)
            for p, s, n in zip(phase, stride, y.shape[2:], strict=True)
        )
        columns.append(y[(slice(None), slice(None), *cut)].transpose(0, 1).flatten(1))
    return torch.stack(columns)


def linear_by_loops(x: Tensor, position: Callable[[int, int], float], size: tuple[int, ...]) -> Tensor:
    """Interpolate x (*n) linearly; output pixel j of an axis reads at position(axis, j) in input pixels."""
    y = torch.zeros(size, dtype=x.dtype)
    for out in product(*map(range, size)):
        total = 0.0
        places = [position(axis, j) for axis, j in enumerate(out)]
        for corner in product((0, 1), repeat=x.ndim):
            index = [int(np.floor(place)) + c for place, c in zip(places, corner, strict=True)]
            share = np.prod([1 - abs(place - i) for place, i in zip(places, index, strict=True)])
            if share > 0:
                total += float(
                    share * x[tuple(min(max(i, 0), n - 1) for i, n in zip(index, x.shape, strict=True))]
                )
        y[out] = total
    return y
