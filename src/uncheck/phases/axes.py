"""Torch's convolutions by their number of axes, and the order in which it takes paddings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
CONV_TRANSPOSES = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
ConvTranspose = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d

Amount = int | Sequence[int]

_CONV: tuple[Callable[..., Tensor], ...] = (F.conv1d, F.conv2d, F.conv3d)
_CONV_TRANSPOSE: tuple[Callable[..., Tensor], ...] = (
    F.conv_transpose1d,
    F.conv_transpose2d,
    F.conv_transpose3d,
)


def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Amount = 1,
    padding: Amount = 0,
    dilation: Amount = 1,
    groups: int = 1,
) -> Tensor:
    """Apply torch's convolution on as many axes as the weight (out, in / groups, *k) has."""
    return _CONV[weight.ndim - 3](x, weight, bias, stride, padding, dilation, groups)


def conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Amount = 1,
    padding: Amount = 0,
    output_padding: Amount = 0,
    groups: int = 1,
    dilation: Amount = 1,
) -> Tensor:
    """Apply torch's transposed convolution on as many axes as the weight (in, out / groups, *k) has."""
    function = _CONV_TRANSPOSE[weight.ndim - 3]
    return function(x, weight, bias, stride, padding, output_padding, groups, dilation)


def flat_pads(pairs: Iterable[Sequence[int]]) -> list[int]:
    """Return (before, after) of each axis in the order of F.pad, which counts axes from the last.

    Example:
        >>> flat_pads([(1, 2), (3, 4)])
        [3, 4, 1, 2]
    """
    return [n for pair in reversed(list(pairs)) for n in pair]
