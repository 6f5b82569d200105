"""Strided pooling whose gradient is even: every input pixel counts alike."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.layers.axes import Sizes, axes_of, per_axis
from uncheck.layers.filters import FixedFilters
from uncheck.layers.hold import convolve, filter_taps, hold_power, smooth

PADDING_MODES = ("reflect", "symmetric", "replicate", "circular", "zeros")


class BlurPool(FixedFilters):
    """Smooth, then keep every s-th pixel:  y[i] = sum_t f[t] x[s i + t - before].

    The gradient of a strided layer is a transposed convolution with the same kernel, so it checkers unless
    the phase sums of f are equal, which a binomial filter has for stride 2 only: (1, 2, 1) at stride 3 gives
    them as 1 : 2 : 1. Here f is the hold (1, ..., 1) of length s convolved with itself as often as
    kernel_size allows, j times, then with (1, 1): binomial for s = 2, (1, 2, 3, 2, 1) for s = 3, kernel_size
    5. Its sum is one, its phase sums are 1/s each, and its response vanishes to order j at the frequencies
    a/s, which alias to a constant. The default, 2 s taps for even s and 2 s - 1 for odd, is the adjoint of
    linear resizing.

    Output i is centred on s i + (s - 1)/2, the middle of its s input pixels, where kernel_size - s is even;
    else half a pixel before, on s i for s = 2, as a 3-tap convolution with padding 1 is.

    Borders: constants stay constant in every padding_mode but "zeros". Gradients of a sum are also constant
    up to the last pixel with "symmetric" (x[-1] = x[0], x[-2] = x[1], and for stride 2 and 3 by default the
    same as "replicate") where kernel_size - s is even and s divides the size, and with "circular" where s
    divides the size; "reflect" gives the outermost pixel 3/4 and the next 5/4 of the rest (stride 2, default
    size).

    Args:
        kernel_size: taps of the filter, >= stride (or 1 and more where the stride is 1), one integer or one
            per axis. Default: 2 stride - stride mod 2.
        stride: s, one integer >= 1 or one per axis.
        padding_mode: "symmetric", "reflect", "replicate", "circular" or "zeros".
        ndim: number of axes, 1 to 3; taken from the first tuple, else 2. BlurPool1d, 2d and 3d state it.
        device: of the filter, a buffer that is not saved.
        dtype: of the filter; it follows the input's.

    Shape: (batch, any channels, *size) to (batch, channels, *ceil(size / stride)); the batch may be left out.

    Raises:
        ValueError: arguments that do not fit, kernel_size below the stride among them, as no such filter has
            equal phase sums; in forward, an input that does not.

    Cost: prod(kernel_size / stride) multiplications per input pixel.
    Source: Zhang, "Making convolutional networks shift-invariant again", ICML 2019, for the pooling; the
        choice of filter and borders follows from the phase sums.

    """

    ndim: int
    sizes: list[int]
    steps: list[int]
    padding_mode: str
    taps: Tensor

    def __init__(
        self,
        kernel_size: Sizes | None = None,
        stride: Sizes = 2,
        padding_mode: str = "symmetric",
        *,
        ndim: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.ndim = axes_of(ndim, kernel_size, stride)
        self.stride = per_axis("stride", stride, self.ndim, 1)
        if kernel_size is None:
            self.kernel_size = tuple(2 * s - s % 2 for s in self.stride)
        else:
            self.kernel_size = per_axis("kernel_size", kernel_size, self.ndim, 1)
        if any(k < s for k, s in zip(self.kernel_size, self.stride, strict=True)):
            raise ValueError(
                f"no filter of kernel_size {self.kernel_size} has equal phase sums at stride {self.stride}, "
                "which an even gradient needs: use at least stride taps on every axis"
            )
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {', '.join(PADDING_MODES)}, not {padding_mode!r}")
        self.sizes, self.steps = list(self.kernel_size), list(self.stride)
        self.padding_mode = padding_mode
        self.register_buffer("taps", torch.empty(0, device=device, dtype=dtype), persistent=False)
        self.make_filters()

    def make_filters(self) -> None:
        """Compute the filter anew."""
        axes = [even_filter(k, s) for k, s in zip(self.kernel_size, self.stride, strict=True)]
        self.taps = filter_taps(axes, self.taps.device, self.taps.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Give the smoothed and subsampled input."""
        if x.dim() not in (self.ndim + 1, self.ndim + 2):
            raise ValueError(f"BlurPool takes (batch, channels, {self.ndim} axes), not shape {list(x.shape)}")
        before: list[int] = []
        after: list[int] = []
        for axis in range(self.ndim):
            k, s = self.sizes[axis], self.steps[axis]
            before.append((k - s + 1) // 2)
            # enough for every size: whatever a window does not reach is left out by the stride
            after.append(k - 1 - before[axis])
        return smooth(
            extend(x, before, after, self.padding_mode, "BlurPool"), self.taps, self.sizes, self.steps
        )

    def extra_repr(self) -> str:
        """Name the arguments."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding_mode={self.padding_mode!r}"


class BlurPool1d(BlurPool):
    """BlurPool on one axis."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=1)


class BlurPool2d(BlurPool):
    """BlurPool on two axes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=2)


class BlurPool3d(BlurPool):
    """BlurPool on three axes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=3)


def even_filter(kernel_size: int, stride: int) -> list[int]:
    """Give the filter of this size with the most zeros at the lattice of stride: hold^j * (1, 1)^r."""
    if stride == 1:
        return hold_power(2, kernel_size - 1)
    holds, rest = divmod(kernel_size - 1, stride - 1)
    return convolve(hold_power(stride, holds), hold_power(2, rest))


def extend(x: Tensor, before: list[int], after: list[int], mode: str, layer: str) -> Tensor:
    """Pad all axes, by before and after per axis; symmetric repeats the border pixel, reflect does not."""
    n = len(before)
    pads: list[int] = []
    for i in range(n):
        axis = n - 1 - i
        pads += [before[axis], after[axis]]
    most = max(pads)
    if most == 0:
        return x
    if mode == "zeros":
        return F.pad(x, pads)
    if mode == "reflect" or mode == "circular" or mode == "symmetric":
        for axis in range(n):
            room = x.shape[axis - n] - (1 if mode == "reflect" else 0)
            if max(before[axis], after[axis]) > room:
                raise ValueError(
                    f"{layer} cannot pad {list(x.shape)} by {before} and {after} in mode {mode}: use a "
                    "larger input or padding_mode='replicate'"
                )
    if mode != "symmetric":
        return F.pad(x, pads, mode=mode)
    if most == 1:
        return F.pad(x, pads, mode="replicate")
    for axis in range(n):
        place = axis - n
        first = x.narrow(place, 0, before[axis]).flip([place])
        last = x.narrow(place, x.shape[place] - after[axis], after[axis]).flip([place])
        x = torch.cat([first, x, last], place)
    return x
