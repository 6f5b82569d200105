"""Torch's convolutions by their number of axes, and the order in which it takes paddings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
CONV_TRANSPOSES = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
ConvTranspose = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d

Functions = tuple[Callable[..., Tensor], Callable[..., Tensor], Callable[..., Tensor]]
_CONV: Functions = (F.conv1d, F.conv2d, F.conv3d)
_CONV_TRANSPOSE: Functions = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)


def conv(x: Tensor, weight: Tensor, *args: Any, **named: Any) -> Tensor:
    """Apply F.conv1d, 2d or 3d, by the axes of the weight (out, in / groups, *k); all else is torch's."""
    return _CONV[weight.ndim - 3](x, weight, *args, **named)


def conv_transpose(x: Tensor, weight: Tensor, *args: Any, **named: Any) -> Tensor:
    """Apply F.conv_transpose1d, 2d or 3d, by the axes of (in, out / groups, *k); all else is torch's."""
    return _CONV_TRANSPOSE[weight.ndim - 3](x, weight, *args, **named)


def flat_pads(pairs: Iterable[Sequence[int]]) -> list[int]:
    """Return (before, after) of each axis in the order of F.pad, which counts axes from the last.

    Example:
        >>> flat_pads([(1, 2), (3, 4)])
        [3, 4, 1, 2]
    """
    return [n for pair in reversed(list(pairs)) for n in pair]
