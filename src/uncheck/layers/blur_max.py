"""Maximum pooling whose gradient is even."""

from typing import Any

import torch
from torch import Tensor, nn

from uncheck.layers.axes import Sizes, axes_of, per_axis
from uncheck.layers.blur import BlurPool


class MaxBlurPool(nn.Module):
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
        ValueError: arguments that do not fit; in forward, an input that does not.

    Cost: prod(kernel_size) comparisons per pixel, prod(s) times as many as nn.MaxPool, and the BlurPool.
    Source: Zhang, "Making convolutional networks shift-invariant again", ICML 2019.

    """

    ndim: int
    sizes: list[int]
    pads: list[int]
    spread: list[int]

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
        self.ndim = axes_of(ndim, kernel_size, stride, padding, dilation, blur_size)
        self.kernel_size = per_axis("kernel_size", kernel_size, self.ndim, 1)
        self.padding = per_axis("padding", padding, self.ndim, 0)
        self.dilation = per_axis("dilation", dilation, self.ndim, 1)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ValueError(
                f"padding must be at most half of kernel_size, not {self.padding} for {self.kernel_size}"
            )
        self.sizes, self.pads, self.spread = list(self.kernel_size), list(self.padding), list(self.dilation)
        steps = self.kernel_size if stride is None else stride
        self.blur = BlurPool(blur_size, steps, padding_mode, ndim=self.ndim, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Give the smoothed and subsampled maxima."""
        if x.dim() not in (self.ndim + 1, self.ndim + 2):
            raise ValueError(
                f"MaxBlurPool takes (batch, channels, {self.ndim} axes), not shape {list(x.shape)}"
            )
        for axis in range(self.ndim):
            room = x.shape[axis - self.ndim] + 2 * self.pads[axis]
            if room < self.spread[axis] * (self.sizes[axis] - 1) + 1:
                raise ValueError(
                    f"MaxBlurPool of kernel_size {self.sizes} gives no output pixel for an input of shape "
                    f"{list(x.shape)}: use a larger input"
                )
        steps = [1] * self.ndim
        if self.ndim == 1:
            x = torch.max_pool1d(x, self.sizes, steps, self.pads, self.spread)
        elif self.ndim == 2:
            x = torch.max_pool2d(x, self.sizes, steps, self.pads, self.spread)
        else:
            x = torch.max_pool3d(x, self.sizes, steps, self.pads, self.spread)
        pooled: Tensor = self.blur(x)
        return pooled

    def extra_repr(self) -> str:
        """Name the arguments of the maximum; the BlurPool shows its own."""
        return f"kernel_size={self.kernel_size}, padding={self.padding}, dilation={self.dilation}"


class MaxBlurPool1d(MaxBlurPool):
    """MaxBlurPool on one axis."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=1)


class MaxBlurPool2d(MaxBlurPool):
    """MaxBlurPool on two axes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=2)


class MaxBlurPool3d(MaxBlurPool):
    """MaxBlurPool on three axes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=3)
