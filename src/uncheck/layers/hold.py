"""Fixed smoothing after an upsampler, which removes every lattice of its stride."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.geometry import Sizes, per_axis
from uncheck.layers.axes import AxisLayer, on_axes
from uncheck.layers.filters import FixedFilters, filter_taps, hold_power, smooth
from uncheck.phases.axes import flat_pads


class Hold(FixedFilters, AxisLayer):
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
        ndim: 1 to 3; taken from stride if that is a tuple, else 2. Hold1d, 2d and 3d state it.
        device, dtype: of the filter, a buffer that is not saved; its type follows the input's.

    Shape: (batch, any channels, *size) to the same; the batch may be left out. No axis may be shorter than s.

    Raises:
        UncheckError: arguments that do not fit; in forward, an input that does not.

    Cost: s^n multiplications per pixel, n s where that is more than 64, and about as many again for each
        order.
    Source: Kinoshita and Kiya, "Fixed smooth convolutional layer for avoiding checkerboard artifacts in
        CNNs", ICASSP 2020, for the (order + 1)-fold hold; gain, strides and borders are treated here.

    Example:
        >>> Hold1d(2)(torch.tensor([[[1.0, 3.0, 1.0, 3.0]]]))
        tensor([[[2., 2., 2., 2.]]])
    """

    stride: tuple[int, ...]
    box: Tensor
    rest: Tensor

    def __init__(
        self, stride: Sizes, order: int = 0, *, ndim: int | None = None, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.set_sizes(ndim, stride=stride)
        (self.order,) = per_axis("order", order, 1, 0)
        self._rest_sizes = [self.order * (s - 1) + 1 for s in self.stride]
        taps = [(self.order + 1) * (s - 1) + 1 for s in self.stride]
        self._pads = flat_pads((n // 2, (n - 1) // 2) for n in taps)
        empty = torch.empty(0, device=device, dtype=dtype)
        self.register_buffer("box", empty, persistent=False)
        self.register_buffer("rest", empty, persistent=False)
        self.make_filters()

    def make_filters(self) -> None:
        """Compute the filter anew."""
        self.box = filter_taps([hold_power(s, 1) for s in self.stride], self.box)
        self.rest = filter_taps([hold_power(s, self.order) for s in self.stride], self.box)

    def forward(self, x: Tensor) -> Tensor:
        """Return the smoothed input."""
        self.check_input(x)
        self.check_reach(x, self.stride)
        # In an extension that repeats the first s pixels, all windows of s pixels that end before pixel s
        # hold the same s values, and so have the mean of the first window inside; likewise at the end. So one
        # hold of the extended input is the hold of the input alone, its first and last value repeated.
        y = smooth(x, self.box, self.stride, [1] * self.ndim)
        y = F.pad(y, self._pads, mode="replicate")
        return smooth(y, self.rest, self._rest_sizes, [1] * self.ndim) if self.order > 0 else y

    def extra_repr(self) -> str:
        """Name stride and order."""
        return f"stride={self.stride}, order={self.order}"


Hold1d, Hold2d, Hold3d = on_axes(Hold)
