"""Strided pooling with an even gradient: the mean, in which all input pixels count alike, and the maximum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes, count_axes
from uncheck.layers.axes import AxisLayer, check_word, on_axes
from uncheck.layers.filters import FixedFilters, convolve, filter_taps, hold_power, smooth

PADDING_MODES = ("reflect", "symmetric", "replicate", "circular", "zeros")
_MAX_POOL: tuple[Callable[..., Tensor], ...] = (torch.max_pool1d, torch.max_pool2d, torch.max_pool3d)


class BlurPool(FixedFilters, AxisLayer):
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
        device, dtype: of the filter, a buffer that is not saved; its type follows the input's.

    Shape: (batch, any channels, *size) to (batch, channels, *ceil(size / stride)); the batch may be left out.

    Raises:
        UncheckError: arguments that do not fit, kernel_size below the stride among them, as no such filter
            has equal phase sums; in forward, an input that does not.

    Cost: prod(kernel_size / stride) multiplications per input pixel.
    Source: Zhang, "Making convolutional networks shift-invariant again", ICML 2019, for the pooling; the
        choice of filter and borders follows from the phase sums.

    Example:
        >>> BlurPool2d(stride=2)(torch.ones(1, 3, 8, 8)).shape
        torch.Size([1, 3, 4, 4])
    """

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
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
        self.set_sizes(ndim, kernel_size=kernel_size, stride=stride)
        if kernel_size is None:
            self.kernel_size = tuple(2 * s - s % 2 for s in self.stride)
        if any(k < s for k, s in zip(self.kernel_size, self.stride, strict=True)):
            raise UncheckError(
                f"no filter of kernel_size {self.kernel_size} has equal phase sums at stride {self.stride}, "
                "which an even gradient needs: use at least stride taps on every axis"
            )
        check_word("padding_mode", padding_mode, PADDING_MODES)
        self.padding_mode = padding_mode
        before = [(k - s + 1) // 2 for k, s in zip(self.kernel_size, self.stride, strict=True)]
        # enough for every size: whatever a window does not reach is left out by the stride
        self._pads = [(b, k - 1 - b) for b, k in zip(before, self.kernel_size, strict=True)]
        self.register_buffer("taps", torch.empty(0, device=device, dtype=dtype), persistent=False)
        self.make_filters()

    def make_filters(self) -> None:
        """Compute the filter anew."""
        axes = [even_filter(k, s) for k, s in zip(self.kernel_size, self.stride, strict=True)]
        self.taps = filter_taps(axes, self.taps)

    def forward(self, x: Tensor) -> Tensor:
        """Return the smoothed and subsampled input."""
        self.check_input(x)
        x = self.extend(x, self._pads, self.padding_mode)
        return smooth(x, self.taps, self.kernel_size, self.stride)

    def extra_repr(self) -> str:
        """Name the arguments."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding_mode={self.padding_mode!r}"


BlurPool1d, BlurPool2d, BlurPool3d = on_axes(BlurPool)


def even_filter(kernel_size: int, stride: int) -> list[int]:
    """Return the filter of this size with the most zeros at the lattice of stride: hold^j * (1, 1)^r."""
    if stride == 1:
        return hold_power(2, kernel_size - 1)
    holds, rest = divmod(kernel_size - 1, stride - 1)
    return convolve(hold_power(stride, holds), hold_power(2, rest))


class MaxBlurPool(AxisLayer):
    """Maximum at every pixel, then BlurPool:  y = BlurPool(max over the window at stride 1).

    The gradient of a maximum goes to where it lies, and at kernel_size 3, stride 2 one pixel of four is in
    four windows, two are in two and one is in one. Here every pixel is in as many windows, and BlurPool
    weighs the windows alike. That is first order: where the maxima fall is up to the data, and where it
    depends on the gradient that arrives, some lattice can remain.

    Args:
        kernel_size: of the maximum, one integer or one per axis.
        stride: s. Default: kernel_size, as in nn.MaxPool2d.
        padding: of the maximum, at most half of kernel_size; what is added never wins.
        dilation: pixels between the elements of the window.
        blur_size: kernel_size of the BlurPool.
        padding_mode: of the BlurPool.
        ndim: 1 to 3; taken from the first tuple among the sizes, else 2. MaxBlurPool1d, 2d and 3d state it.
        device, dtype: of the filter, a buffer that is not saved; its type follows the input's.

    Shape: as nn.MaxPool with these arguments; the batch may be left out.

    Raises:
        UncheckError: arguments that do not fit; in forward, an input that does not.

    Cost: prod(kernel_size) comparisons per pixel, prod(s) times as many as nn.MaxPool, and the BlurPool.
    Source: Zhang, "Making convolutional networks shift-invariant again", ICML 2019.

    Example:
        >>> MaxBlurPool2d(2)(torch.ones(1, 3, 8, 8)).shape
        torch.Size([1, 3, 4, 4])
    """

    kernel_size: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        *,
        blur_size: Sizes | None = None,
        padding_mode: str = "symmetric",
        ndim: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        ndim = count_axes(self._ndim or ndim, kernel_size, stride, padding, dilation, blur_size)
        self.set_sizes(ndim, kernel_size=kernel_size, padding=padding, dilation=dilation)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise UncheckError(
                f"padding must be at most half of kernel_size, not {self.padding} for {self.kernel_size}"
            )
        steps = self.kernel_size if stride is None else stride
        self.blur = BlurPool(blur_size, steps, padding_mode, ndim=self.ndim, device=device, dtype=dtype)
        axes = zip(self.kernel_size, self.padding, self.dilation, strict=True)
        self._reach = [d * (k - 1) + 1 - 2 * p for k, p, d in axes]

    def forward(self, x: Tensor) -> Tensor:
        """Return the smoothed and subsampled maxima."""
        self.check_input(x)
        self.check_reach(x, self._reach)
        pool = _MAX_POOL[self.ndim - 1]
        pooled: Tensor = self.blur(pool(x, self.kernel_size, 1, self.padding, self.dilation))
        return pooled

    def extra_repr(self) -> str:
        """Name the arguments of the maximum; the BlurPool shows its own."""
        return f"kernel_size={self.kernel_size}, padding={self.padding}, dilation={self.dilation}"


MaxBlurPool1d, MaxBlurPool2d, MaxBlurPool3d = on_axes(MaxBlurPool)
