"""Maximum pooling whose gradient is even."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes, count_axes
from uncheck.layers.axes import AxisLayer, on_axes
from uncheck.layers.blur import BlurPool

_MAX_POOL: tuple[Callable[..., Tensor], ...] = (torch.max_pool1d, torch.max_pool2d, torch.max_pool3d)


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
        ndim: number of axes, 1 to 3; taken from the first tuple among the sizes, else 2. MaxBlurPool1d, 2d
            and 3d state it.
        device: of the filter, a buffer that is not saved.
        dtype: of the filter; it follows the input's.

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
