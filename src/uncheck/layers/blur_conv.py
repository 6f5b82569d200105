"""Strided convolutions whose gradient is even."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes, per_axis
from uncheck.layers.axes import ConvLayer, on_axes
from uncheck.layers.filters import FixedFilters, filter_taps, hold_power, smooth
from uncheck.phases.axes import CONVS, conv


class BlurConv(FixedFilters, ConvLayer):
    """Strided convolution of a smoothed input:  y = (W * f)[s i] + b,  f = hold * ... * hold / s^order.

    The gradient of a strided convolution by its input is a transposed convolution with the same kernel, and
    checkers where the kernel's phase sums differ. W * f is divisible by the hold of the stride, so that its
    phase sums are equal whatever W is trained to: away from the border, a gradient that is constant over the
    output is constant over the input. Parameters, their names and the output size are those of the
    convolution.

    It is the convolution with kernel W * f, order (s - 1) taps larger per axis, with half of these as
    additional padding. Where order (s - 1) is odd, the halves differ by one and the centre moves by half a
    pixel, towards the middle of the s pixels an output stands for. Constants get the same answer as without
    smoothing; details finer than the stride, which would alias, are damped.

    Args:
        in_channels, out_channels, groups, bias, device, dtype: as for torch.nn.Conv2d.
        kernel_size: of W, one integer or one per axis.
        stride: s, one integer >= 1 or one per axis; an axis of stride 1 is not smoothed.
        padding: of the convolution with W, input pixels at both ends.
        dilation: input pixels between the taps of W.
        padding_mode: "zeros", "reflect", "replicate" or "circular".
        order: number of holds, >= 1; one more zero at the lattice each, and blur.
        ndim: 1 to 3; taken from the first tuple among the sizes, else 2. BlurConv1d, 2d and 3d state it.

    Shape: as the convolution; the batch may be left out.

    Raises:
        UncheckError: arguments that do not fit; in forward, an input that does not.

    Cost: the convolution's, and prod(s) multiplications per input value for each order.

    Example:
        >>> BlurConv2d(3, 8, 3, stride=2, padding=1)(torch.ones(1, 3, 8, 8)).shape
        torch.Size([1, 8, 4, 4])
    """

    stride: tuple[int, ...]
    taps: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 2,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        order: int = 1,
        ndim: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.set_channels(in_channels, out_channels, groups, padding_mode)
        self.set_sizes(ndim, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
        (self.order,) = per_axis("order", order, 1, 1)
        self._sizes = [self.order * (s - 1) + 1 for s in self.stride]
        self._pads, self._reach = [], []
        for k, s, p, d in zip(self.kernel_size, self.stride, self.padding, self.dilation, strict=True):
            more = self.order * (s - 1)
            # twice the centre of the convolution, d (k - 1)/2 - p, against twice the middle of s pixels
            late = more % 2 * (d * (k - 1) - 2 * p >= s - 1)
            self._pads.append((p + more // 2 + late, p + more - more // 2 - late))
            self._reach.append(d * (k - 1) + 1 - 2 * p)
        self.register_buffer("taps", torch.empty(0, device=device, dtype=dtype), persistent=False)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.set_parameters(shape, bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew, as torch's convolutions do, and compute the filter."""
        self.make_filters()
        super().reset_parameters()

    def make_filters(self) -> None:
        """Compute the filter anew."""
        axes = [hold_power(s, self.order) for s in self.stride]
        self.taps = filter_taps(axes, self.taps)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of the smoothed input."""
        self.check_input(x, self.in_channels)
        self.check_reach(x, self._reach, "use a larger input or more padding")
        x = self.extend(x, self._pads, self.padding_mode)
        x = smooth(x, self.taps, self._sizes, [1] * self.ndim)
        return conv(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)

    def extra_repr(self) -> str:
        """Name the arguments, as torch's convolutions do."""
        text = self.describe("kernel_size", "stride", padding=0, dilation=1)
        text += f", padding_mode={self.padding_mode}" if self.padding_mode != "zeros" else ""
        return text + (f", order={self.order}" if self.order != 1 else "")


BlurConv1d, BlurConv2d, BlurConv3d = on_axes(BlurConv)


def blur_strided(conv: nn.Conv1d | nn.Conv2d | nn.Conv3d, order: int = 1) -> BlurConv:
    """Return a strided convolution the smoothing that keeps its gradient even:  W becomes W * hold / s.

    Args:
        conv: nn.Conv1d, 2d or 3d with a stride above 1 on some axis. Not changed; its weight and bias become
            those of the result, the same tensors under the same names, so that its checkpoints load.
        order: number of holds, >= 1.

    Returns:
        BlurConv1d, 2d or 3d with the output size of conv. Constants get the same answer; the picture is
        smoothed over s pixels first, so a trained network needs some training to get used to it.

    Raises:
        UncheckError: no convolution of torch.nn, stride 1, or a weight computed by a parametrisation.

    Example:
        >>> blur_strided(nn.Conv2d(3, 8, 3, stride=2, padding=1))
        BlurConv2d(3, 8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
    """
    if not isinstance(conv, CONVS) or isinstance(conv, nn.modules.lazy.LazyModuleMixin):
        raise UncheckError(f"blur_strided takes nn.Conv1d, nn.Conv2d or nn.Conv3d, not {type(conv).__name__}")
    if max(conv.stride) == 1:
        raise UncheckError(
            "blur_strided takes a strided convolution: this one has stride 1, and an even gradient"
        )
    if "weight" not in conv._parameters:
        raise UncheckError(
            "the weight of this convolution is computed by a parametrisation: take it off first "
            "(torch.nn.utils.parametrize.remove_parametrizations) and put it on the result"
        )
    made = (BlurConv1d, BlurConv2d, BlurConv3d)[conv.weight.dim() - 3](
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        conv.stride,
        0 if isinstance(conv.padding, str) else conv.padding,
        conv.dilation,
        conv.groups,
        conv.bias is not None,
        conv.padding_mode,
        order=order,
        device="meta",
    )
    made.weight, made.bias = conv.weight, conv.bias
    made.taps = conv.weight.new_empty(0)
    made.make_filters()
    return made.train(conv.training)
