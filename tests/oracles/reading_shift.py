"""The period of a network's operator, the slow way: move the input until the output moves along unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import torch
from torch import Tensor, nn


def shift_period(
    model: nn.Module,
    shape: Sequence[int],
    axis: int,
    most: int,
    tolerance: float,
    output_axis: int | None = None,
) -> int | None:
    """The least output shift, along an axis, that some input shift by whole positions brings about.

    A network whose operator has period L along an axis of its output moves its output by L where its input
    moves by L times input over output positions, and by no less. A quarter at each end is left out.

    Args:
        model: in float64; its input and output are maps (N, C, *spatial).
        shape: of the input, large enough that borders do not reach its middle half.
        axis: of the input.
        most: the largest input shift tried.
        tolerance: largest difference, as a share of the largest value.
        output_axis: of the output, if another.

    Returns:
        Output positions; None where no shift up to `most` will do.
    """
    out = axis if output_axis is None else output_axis
    x = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        y = model(x)
        longer = model(torch.cat([x, x.narrow(axis, 0, 12)], axis))
        scale = Fraction(longer.shape[out] - y.shape[out], 12)
        for shift in range(1, most + 1):
            moved = shift * scale
            if moved.denominator > 1:
                continue
            z = model(x.roll(shift, axis))
            if _same(y, z, out, moved.numerator, tolerance * float(y.abs().max())):
                return moved.numerator
    return None


def _same(y: Tensor, z: Tensor, axis: int, shift: int, tolerance: float) -> bool:
    length = y.shape[axis]
    inner = slice(length // 4, length - length // 4)
    y = y.movedim(axis, 0)[inner]
    z = z.movedim(axis, 0)[inner]
    return bool((y[: len(y) - shift] - z[shift:]).abs().max() <= tolerance)
