"""Fixed filters: powers of a hold, and their application to every channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.phases.axes import conv

DENSE = 64
"""Most taps of a filter applied at once; larger ones go axis by axis."""


class FixedFilters(nn.Module):
    """A module whose filters are made anew after every change of type or device.

    No checkpoint holds them, so nothing else restores them: not after `to_empty`, which leaves a module from
    the meta device with whatever lay in memory, nor after a trip through half precision.
    """

    def make_filters(self) -> None:
        """Fill the buffers, in the type and on the device that they have now."""
        raise NotImplementedError

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.make_filters()
        return self


def hold_power(s: int, power: int) -> list[int]:
    """Return the hold of length s convolved with itself to this power, whole numbers; power 0 is (1)."""
    taps = [1]
    for _ in range(power):
        taps = convolve(taps, [1] * s)
    return taps


def convolve(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """Convolve two filters of whole numbers."""
    out = [0] * (len(a) + len(b) - 1)
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            out[i + j] += one * other
    return out


def filter_taps(axes: Sequence[Sequence[int]], like: Tensor) -> Tensor:
    """Lay a separable filter out for `smooth`, in the type and on the device of a tensor.

    Whole numbers, not yet divided by their sum: those survive a change of dtype exactly.

    Returns:
        (*sizes) where the filter has at most DENSE taps, else the taps of all axes in a row.
    """
    if any(max(axis) > 2**24 for axis in axes):
        raise UncheckError(
            f"a smoothing filter of sizes {[len(axis) for axis in axes]} cannot be held exactly: lower the "
            "stride or the order"
        )
    vectors = [torch.tensor(axis, device=like.device, dtype=like.dtype) for axis in axes]
    if math.prod(len(axis) for axis in axes) > DENSE:
        return torch.cat(vectors)
    dense = vectors[0]
    for vector in vectors[1:]:
        dense = dense[..., None] * vector
    return dense


def smooth(x: Tensor, taps: Tensor, sizes: Sequence[int], stride: Sequence[int]) -> Tensor:
    """Convolve every channel with one filter of unit sum, without padding.

    Args:
        x: (batch, channels, *size) or (channels, *size).
        taps: from `filter_taps`.
        sizes: number of taps per axis.
        stride: output pixel i is centred on input pixels i * stride, per axis.
    """
    n = len(sizes)
    taps = taps.to(x.dtype)
    if taps.dim() == n:
        return _depthwise(x, taps / taps.sum(), stride)
    for axis, one in enumerate(torch.split_with_sizes(taps, list(sizes))):
        if sizes[axis] > 1 or stride[axis] > 1:
            shape, step = [1] * n, [1] * n
            shape[axis], step[axis] = sizes[axis], stride[axis]
            x = _depthwise(x, (one / one.sum()).reshape(shape), step)
    return x


def _depthwise(x: Tensor, weight: Tensor, stride: Sequence[int]) -> Tensor:
    channels = x.shape[-len(stride) - 1]
    return conv(x, weight.expand([channels, 1, *weight.shape]), stride=stride, groups=channels)
