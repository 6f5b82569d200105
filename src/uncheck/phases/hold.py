"""The kernels of plain resizes: what nearest and linear interpolation do to one pixel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.phases.kernel import check_entries

MODES = {
    "nearest": "nearest",
    "linear": "linear",
    "bilinear": "linear",
    "trilinear": "linear",
}
"""Accepted names of resize modes, torch's included."""


def axis_hold(factor: int, mode: str) -> tuple[list[float], int]:
    """Return the resize kernel along one axis, and its offset; its margin is 0.

    nearest: h = hold = (1, ..., 1), length s;  linear: h[v] = max(0, 1 - |2 v + 1 - s| / 2 s), which is
    hold * hold / s for odd s and hold * hold * (1, 1) / 2 s for even s.

    Args:
        factor: s >= 1.
        mode: a key of MODES.

    Returns:
        (values, offset): output pixel j takes values[j + offset - s m] of input pixel m.

    Raises:
        UncheckError: no such mode.

    Source: torch.nn.functional.interpolate, align_corners=False: source = (j + 1/2) / s - 1/2.
    """
    if mode not in MODES:
        raise UncheckError(f"resize mode {mode!r} is not known: use one of {', '.join(MODES)}")
    if MODES[mode] == "nearest":
        return [1.0] * factor, 0
    offset = factor // 2
    length = 2 * factor - factor % 2
    values = [1 - abs(2 * (u - offset) + 1 - factor) / (2 * factor) for u in range(length)]
    return values, offset


def hold_kernel(
    factor: Sequence[int], mode: str, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, tuple[int, ...]]:
    """Return the resize kernel of one channel, (*k), with its offset per axis.

    Args:
        factor: s per axis, >= 1.
        mode: a key of MODES.
        dtype: floating-point type.
        device: where to make it.

    Raises:
        UncheckError: no such mode, or a factor too large to hold in memory.
    """
    check_entries([2 * f for f in factor], "the resize kernel")
    axes = [axis_hold(f, mode) for f in factor]
    kernel = torch.ones((), dtype=dtype, device=device)
    for values, _ in axes:
        kernel = kernel[..., None] * torch.tensor(values, dtype=dtype, device=device)
    return kernel, tuple(offset for _, offset in axes)
