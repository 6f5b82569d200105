"""Strided convolutions whose gradient is even."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.layers.axes import Sizes, axes_of, check_channels, per_axis
from uncheck.layers.blur import extend
from uncheck.layers.filters import FixedFilters
from uncheck.layers.hold import filter_taps, hold_power, smooth

CONV = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class BlurConv(FixedFilters):
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
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: of W, one integer or one per axis.
        stride: s, one integer >= 1 or one per axis; an axis of stride 1 is not smoothed.
        padding: of the convolution with W, input pixels at both ends.
        dilation: input pixels between the taps of W.
        groups: divides in_channels and out_channels.
        bias: whether to add one.
        padding_mode: "zeros", "reflect", "replicate" or "circular".
        order: number of holds, >= 1; one more zero at the lattice each, and blur.
        ndim: number of axes, 1 to 3; taken from the first tuple among kernel_size, stride, padding and
            dilation, else 2. BlurConv1d, 2d and 3d state it.
        device: of the parameters.
        dtype: of the parameters.

    Shape: as the convolution; the batch may be left out.

    Raises:
        ValueError: arguments that do not fit; in forward, an input that does not.

    Cost: the convolution's, and prod(s) multiplications per input value for each order.

    """

    ndim: int
    in_channels: int
    groups: int
    padding_mode: str
    steps: list[int]
    spread: list[int]
    before: list[int]
    after: list[int]
    sizes: list[int]
    reach: list[int]
    weight: Tensor
    bias: Tensor | None
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
        n = axes_of(ndim, kernel_size, stride, padding, dilation)
        check_channels(in_channels, out_channels, groups)
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {', '.join(PADDING_MODES)}, not {padding_mode!r}")
        self.ndim, self.in_channels, self.out_channels, self.groups = n, in_channels, out_channels, groups
        self.kernel_size = per_axis("kernel_size", kernel_size, n, 1)
        self.stride = per_axis("stride", stride, n, 1)
        self.padding = per_axis("padding", padding, n, 0)
        self.dilation = per_axis("dilation", dilation, n, 1)
        (self.order,) = per_axis("order", order, 1, 1)
        self.padding_mode = padding_mode
        self.steps, self.spread = list(self.stride), list(self.dilation)
        self.before, self.after, self.sizes, self.reach = [], [], [], []
        axes = zip(self.kernel_size, self.stride, self.padding, self.dilation, strict=True)
        for k, s, p, d in axes:
            more = self.order * (s - 1)
            # twice the centre of the convolution, d (k - 1)/2 - p, against twice the middle of s pixels
            late = more % 2 * (d * (k - 1) - 2 * p >= s - 1)
            self.before.append(p + more // 2 + late)
            self.after.append(p + more - more // 2 - late)
            self.sizes.append(more + 1)
            self.reach.append(d * (k - 1) + 1 + more)
        self.register_buffer("taps", torch.empty(0, device=device, dtype=dtype), persistent=False)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew, as torch's convolutions do, and compute the filter."""
        self.make_filters()
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0].numel())
            nn.init.uniform_(self.bias, -bound, bound)

    def make_filters(self) -> None:
        """Compute the filter anew."""
        axes = [hold_power(s, self.order) for s in self.stride]
        self.taps = filter_taps(axes, self.taps.device, self.taps.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Give the convolution of the smoothed input."""
        if x.dim() not in (self.ndim + 1, self.ndim + 2) or x.shape[-self.ndim - 1] != self.in_channels:
            raise ValueError(
                f"BlurConv takes (batch, {self.in_channels}, {self.ndim} axes), not shape {list(x.shape)}"
            )
        for axis in range(self.ndim):
            if x.shape[axis - self.ndim] + self.before[axis] + self.after[axis] < self.reach[axis]:
                raise ValueError(
                    f"BlurConv gives no output pixel for an input of shape {list(x.shape)}, its smoothed "
                    f"kernel having {self.reach} taps: use a larger input or more padding"
                )
        x = extend(x, self.before, self.after, self.padding_mode, "BlurConv")
        x = smooth(x, self.taps, self.sizes, [1] * self.ndim)
        if self.ndim == 1:
            return F.conv1d(x, self.weight, self.bias, self.steps, [0], self.spread, self.groups)
        if self.ndim == 2:
            return F.conv2d(x, self.weight, self.bias, self.steps, [0, 0], self.spread, self.groups)
        return F.conv3d(x, self.weight, self.bias, self.steps, [0, 0, 0], self.spread, self.groups)

    def extra_repr(self) -> str:
        """Name the arguments, as torch's convolutions do."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        )
        if any(self.padding):
            text += f", padding={self.padding}"
        if max(self.dilation) > 1:
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text + (f", order={self.order}" if self.order != 1 else "")


class BlurConv1d(BlurConv):
    """BlurConv on one axis."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=1)


class BlurConv2d(BlurConv):
    """BlurConv on two axes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=2)


class BlurConv3d(BlurConv):
    """BlurConv on three axes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=3)


def blur_strided(conv: nn.Conv1d | nn.Conv2d | nn.Conv3d, order: int = 1) -> BlurConv:
    """Give a strided convolution the smoothing that keeps its gradient even:  W becomes W * hold / s.

    Args:
        conv: nn.Conv1d, 2d or 3d with a stride above 1 on some axis. Not changed; its weight and bias become
            those of the result, the same tensors under the same names, so that its checkpoints load.
        order: number of holds, >= 1.

    Returns:
        BlurConv1d, 2d or 3d with the output size of conv. Constants get the same answer; the picture is
        smoothed over s pixels first, so a trained network needs some training to get used to it.

    Raises:
        ValueError: no convolution of torch.nn, stride 1, or a weight computed by a parametrisation.

    """
    if not isinstance(conv, CONV) or isinstance(conv, nn.modules.lazy.LazyModuleMixin):
        raise ValueError(f"blur_strided takes nn.Conv1d, nn.Conv2d or nn.Conv3d, not {type(conv).__name__}")
    if max(conv.stride) == 1:
        raise ValueError(
            "blur_strided takes a strided convolution: this one has stride 1, and an even gradient"
        )
    if "weight" not in conv._parameters:
        raise ValueError(
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
