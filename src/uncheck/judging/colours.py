"""The output for constant colours: any ripple there is lattice, and no statistics are needed."""

from __future__ import annotations

from math import lcm

import numpy as np
import torch
from torch import Tensor, nn

from uncheck.judging.judgement import Subject
from uncheck.measuring.observed import Pictures
from uncheck.probing.inputs import is_white, probe_signals
from uncheck.reading import Inputs

#: The constants among the probing signals.
COLOURS = ("dark", "mean", "bright")


def colour_strengths(subject: Subject, model: nn.Module) -> dict[str, float]:
    """Return the lattice's strength in the output for constant inputs, grey levels, by name; empty for codes.

    The constants are the smallest, mean and largest value of each channel of the first held input; its other
    inputs stay as they are.

    Cost: three calls.
    """
    if not subject.held:
        return {}
    inputs = subject.held[0]
    first = next((i for i, x in enumerate(inputs) if isinstance(x, Tensor)), None)
    if first is None or inputs[first].dim() < 3 or not inputs[first].is_floating_point():
        return {}
    if is_white(inputs[first]):
        return {}
    others = [x for i, x in enumerate(inputs) if i != first and isinstance(x, Tensor) and x.dim() >= 3]
    if others:  # a second map would bring its content in
        return {}
    signals = probe_signals(inputs[first][:1] if len(inputs) == 1 else inputs[first])
    out = {}
    for name in COLOURS:
        call: Inputs = (*inputs[:first], signals[name], *inputs[first + 1 :])
        made = subject.run(model, call)
        if bool(torch.isfinite(made).all()):
            out[name] = projected_strength(subject.levels(made)[:1], subject.periods)
    return out


def projected_strength(picture: Pictures, periods: tuple[int, ...]) -> float:
    """Return the root of the summed squares of all lattice lines' peak amplitudes, in the strongest channel.

    Equation: with c the DFT of the phase means over a tile of lcm(periods) pixels in the inner half of each
    axis, sqrt(sum over lines of (|c| where the line is real, else 2 |c|)^2), the lines being those whose
    least common period divides one of `periods`.

    Args:
        picture: (1, *spatial, C) grey levels, constant but for the lattice.
        periods: pixels.

    Returns:
        Grey levels; 0 where the inner half holds no whole period.
    """
    shape = picture.shape[1:-1]
    fitting = [p for p in periods if any(n // 2 >= p for n in shape)]
    if not fitting:
        return 0.0
    tile = lcm(*fitting)
    tile = tile if any(n // 2 >= tile for n in shape) else max(fitting)
    sizes = [tile if n // 2 >= tile else 1 for n in shape]
    means = picture[0].astype(np.float64)
    for axis, (n, size) in enumerate(zip(shape, sizes, strict=True)):
        count = n // 2 // size
        start = -(-(n // 4) // size) * size if size > 1 else n // 4
        count = min(count, (n - start) // size)
        part = np.take(means, range(start, start + count * size), axis=axis)
        means = part.reshape(*part.shape[:axis], count, size, *part.shape[axis + 1 :]).mean(axis=axis)
    spectrum = np.abs(np.fft.fftn(means, axes=range(len(sizes)))) / np.prod(sizes)
    grid = np.meshgrid(*(np.arange(size) for size in sizes), indexing="ij")
    denominators = [size // np.gcd(g, size) for g, size in zip(grid, sizes, strict=True)]
    family = np.lcm.reduce(denominators)
    real = np.all(np.asarray(denominators) <= 2, axis=0)
    wanted = (family > 1) & np.any([p % family == 0 for p in fitting], axis=0)
    # a line that is not real is in the DFT twice: (2 |c|)^2 = 2 |c|^2 for each
    weight = np.where(real, 1.0, 2.0) * wanted
    axes = tuple(range(len(sizes)))
    return float(np.sqrt((weight[..., None] * spectrum**2).sum(axis=axes).max()))
