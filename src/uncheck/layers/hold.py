"""Fixed smoothing after an upsampler, which removes every lattice of its stride."""

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.layers.axes import Sizes, axes_of, per_axis
from uncheck.layers.filters import FixedFilters

DENSE = 64
"""Most taps of a filter applied at once; larger ones go axis by axis."""


class Hold(FixedFilters):
    """Smooth by the hold of an upsampler's stride:  y = h * x,  h = (hold * ... * hold) / s^(order + 1).

    hold = (1, ..., 1) of length s, convolved order + 1 times along each axis. Its response vanishes at all
    frequencies a/s, a = 1 .. s-1, to multiplicity order + 1: whatever repeats every s pixels becomes its
    mean. The taps sum to one, so constants keep their value. The size stays.

    At the borders the first and the last s pixels are repeated outwards, x[-j] = x[s ceil(j / s) - j], which
    keeps constants constant and continues a lattice as a lattice: both laws hold up to the last pixel.

    The filter has L = (order + 1)(s - 1) + 1 taps. Where L is even it reads L/2 pixels before and L/2 - 1
    after, which moves the picture by half a pixel towards the end: a transposed convolution with an odd
    kernel, k3 s2 p1 output_padding 1 for example, puts input pixel m on output pixel 2 m, and Hold moves it
    to 2 m + 1/2, where nearest and linear resizes have it. For odd L nothing moves.

    Args:
        stride: s of the upsampler, one integer >= 1 or one per axis.
        order: 0 for one hold, d for its (d + 1)-fold convolution; one more zero at the lattice each, and
            blur.
        ndim: number of axes, 1 to 3; taken from stride if that is a tuple, else 2. Hold1d, 2d and 3d state
            it.
        device: of the filter, a buffer that is not saved.
        dtype: of the filter; it follows the input's.

    Shape: (batch, any channels, *size) to the same; the batch may be left out. No axis may be shorter than s.

    Raises:
        ValueError: arguments that do not fit; in forward, an input that does not.

    Cost: s^n multiplications per pixel, n s where that is more than 64, and about as many again for each
        order.
    Source: Kinoshita and Kiya, "Fixed smooth convolutional layer for avoiding checkerboard artifacts in
        CNNs", ICASSP 2020, for the (order + 1)-fold hold; gain, strides and borders are treated here.

    """

    ndim: int
    order: int
    sizes: list[int]
    rest_sizes: list[int]
    pads: list[int]
    box: Tensor
    rest: Tensor

    def __init__(
        self, stride: Sizes, order: int = 0, *, ndim: int | None = None, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.ndim = axes_of(ndim, stride)
        self.stride = per_axis("stride", stride, self.ndim, 1)
        (self.order,) = per_axis("order", order, 1, 0)
        self.sizes = list(self.stride)
        self.rest_sizes = [self.order * (s - 1) + 1 for s in self.stride]
        self.pads = []
        for s in reversed(self.stride):
            taps = (self.order + 1) * (s - 1) + 1
            self.pads += [taps // 2, (taps - 1) // 2]
        empty = torch.empty(0, device=device, dtype=dtype)
        self.register_buffer("box", empty, persistent=False)
        self.register_buffer("rest", empty, persistent=False)
        self.make_filters()

    def make_filters(self) -> None:
        """Compute the filter anew."""
        device, dtype = self.box.device, self.box.dtype
        self.box = filter_taps([hold_power(s, 1) for s in self.stride], device, dtype)
        self.rest = filter_taps([hold_power(s, self.order) for s in self.stride], device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Give the smoothed input."""
        if x.dim() not in (self.ndim + 1, self.ndim + 2):
            raise ValueError(f"Hold takes (batch, channels, {self.ndim} axes), not shape {list(x.shape)}")
        for axis in range(self.ndim):
            if x.shape[axis - self.ndim] < self.sizes[axis]:
                raise ValueError(
                    f"Hold of stride {self.sizes} needs at least one period on every axis, but the input has "
                    f"shape {list(x.shape)}: use a larger input"
                )
        # In an extension that repeats the first s pixels, all windows of s pixels that end before pixel s
        # hold the same s values, and so have the mean of the first window inside; likewise at the end. So one
        # hold of the extended input is the hold of the input alone, its first and last value repeated.
        y = smooth(x, self.box, self.sizes, [1] * self.ndim)
        y = F.pad(y, self.pads, mode="replicate")
        return smooth(y, self.rest, self.rest_sizes, [1] * self.ndim) if self.order > 0 else y

    def extra_repr(self) -> str:
        """Name stride and order."""
        return f"stride={self.stride}, order={self.order}"


class Hold1d(Hold):
    """Hold on one axis."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=1)


class Hold2d(Hold):
    """Hold on two axes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=2)


class Hold3d(Hold):
    """Hold on three axes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=3)


def hold_power(s: int, power: int) -> list[int]:
    """Give the hold of length s convolved with itself to this power, whole numbers; power 0 is (1)."""
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


def filter_taps(axes: Sequence[Sequence[int]], device: Any, dtype: Any) -> Tensor:
    """Lay a separable filter out for `smooth`: (*sizes) where it has at most DENSE taps, else all axes in a
    row.

    Whole numbers, not yet divided by their sum: those survive a change of dtype exactly.
    """
    if any(max(axis) > 2**24 for axis in axes):
        raise ValueError(f"a smoothing filter of sizes {[len(axis) for axis in axes]} cannot be held exactly")
    vectors = [torch.tensor(axis, device=device, dtype=dtype or torch.get_default_dtype()) for axis in axes]
    if math.prod(len(axis) for axis in axes) > DENSE:
        return torch.cat(vectors)
    dense = vectors[0]
    for vector in vectors[1:]:
        dense = dense[..., None] * vector
    return dense


def smooth(x: Tensor, taps: Tensor, sizes: list[int], stride: list[int]) -> Tensor:
    """Convolve every channel with one filter of unit sum, without padding.

    Args:
        x: (batch, channels, *size) or (channels, *size).
        taps: from `filter_taps`.
        sizes: number of taps per axis.
        stride: output pixel i is centred on input pixels i * stride, per axis.

    """
    n = len(sizes)
    taps = taps.to(x.dtype)
    if taps.dim() < n:
        start = 0
        for axis in range(n):
            shape, step = [1] * n, [1] * n
            shape[axis], step[axis] = sizes[axis], stride[axis]
            one = taps.narrow(0, start, sizes[axis]).reshape(shape)
            start += sizes[axis]
            if sizes[axis] > 1 or stride[axis] > 1:
                x = depthwise(x, one / one.sum(), step)
        return x
    return depthwise(x, taps / taps.sum(), stride)


def depthwise(x: Tensor, weight: Tensor, stride: list[int]) -> Tensor:
    """Convolve every channel with weight (*sizes), without padding."""
    n = len(stride)
    channels = x.shape[-n - 1]
    expanded = weight.expand([channels, 1] + list(weight.shape))  # noqa: RUF005 - TorchScript has no star
    if n == 1:
        return F.conv1d(x, expanded, stride=stride, groups=channels)
    if n == 2:
        return F.conv2d(x, expanded, stride=stride, groups=channels)
    return F.conv3d(x, expanded, stride=stride, groups=channels)
