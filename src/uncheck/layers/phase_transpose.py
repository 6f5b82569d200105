"""A transposed convolution with a bias per phase and a crop at the end: any upsampling kernel as a layer."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.geometry import count_axes, per_axis
from uncheck.layers.axes import ConvLayer, check_word
from uncheck.phases import PhaseKernel
from uncheck.phases.axes import conv_transpose, flat_pads
from uncheck.phases.to_torch import transposed_geometry


class PhaseConvTranspose(ConvLayer):
    """Transposed convolution  y[n] = sum_m h[n + padding - s m] x[m] + b[n mod s],  cropped at the end.

    What a repaired upsampler becomes: torch's layer has no bias per phase, and cannot put a kernel of even
    size on the grid of an odd one without taps of weight zero.

    Args:
        in_channels, out_channels, groups, device, dtype: as for torch.nn.ConvTranspose2d.
        kernel_size: per axis, output pixels; 1 to 3 axes.
        stride: per axis.
        padding: per axis, output pixels cropped at both ends, as torch does.
        output_padding: per axis, output pixels added at the end, as torch does.
        crop: per axis, output pixels taken off the end after that; None for none.
        bias: "none", "channel" (out_channels,) or "phase" (out_channels, *stride).

    Shape: (batch, in_channels, *size) to (batch, out_channels, *(s (size - 1) + k - 2 padding +
        output_padding - crop)).

    Raises:
        UncheckError: arguments that do not fit; in forward, an input that does not.

    Cost: that of torch's transposed convolution with this kernel; a bias per phase adds one pass over the
        output.

    Example:
        >>> layer = PhaseConvTranspose(4, 3, (4,), (2,), (1,), (0,), bias="phase")
        >>> layer(torch.ones(1, 4, 5)).shape, layer.bias.shape
        (torch.Size([1, 3, 10]), torch.Size([3, 2]))
    """

    stride: tuple[int, ...]
    output_padding: tuple[int, ...]
    crop: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[int],
        output_padding: Sequence[int],
        crop: Sequence[int] | None = None,
        groups: int = 1,
        bias: str = "channel",
        *,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        sizes = {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "output_padding": output_padding,
            "crop": [0] * len(kernel_size) if crop is None else crop,
        }
        self.ndim = count_axes(None, tuple(kernel_size))
        for name, value in sizes.items():
            setattr(self, name, per_axis(name, tuple(value), self.ndim))
        self.set_channels(in_channels, out_channels, groups, "zeros")
        check_word("bias", bias, ("none", "channel", "phase"))
        self.bias_kind = bias
        self.set_parameters(
            (in_channels, out_channels // groups, *kernel_size), bias != "none", device, dtype
        )
        if bias == "phase":
            shape = (out_channels, *self.stride)
            self.bias = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.reset_parameters()

    @property
    def per_phase(self) -> bool:
        """Whether the bias is one per phase."""
        return self.bias_kind == "phase"

    def reset_parameters(self) -> None:
        """Draw the weight uniformly, as torch does, and set the bias to zero."""
        fan_in = self.weight[0].numel()
        with torch.no_grad():
            self.weight.uniform_(-(fan_in**-0.5), fan_in**-0.5)
            if self.bias is not None:
                self.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged output."""
        self.check_input(x, self.in_channels)
        plain = None if self.per_phase else self.bias
        y = conv_transpose(x, self.weight, plain, self.stride, self.padding, self.output_padding, self.groups)
        for axis, pixels in enumerate(self.crop, start=-self.ndim):
            if pixels > 0:
                y = y.narrow(axis, 0, y.shape[axis] - pixels)
        if not self.per_phase or self.bias is None:
            return y
        tile = self.bias
        for axis, s in enumerate(self.stride, start=1):
            size = y.shape[axis - self.ndim - 1]
            times = [1] * tile.dim()
            times[axis] = (size + s - 1) // s
            tile = tile.repeat(times).narrow(axis, 0, size)
        return y + tile

    def extra_repr(self) -> str:
        """Describe as torch.nn does, the kind of bias last."""
        text = self.describe("kernel_size", "stride", padding=0, output_padding=0, crop=0)
        return f"{text.removesuffix(', bias=False')}, bias={self.bias_kind!r}"


def phase_conv_transpose(kernel: PhaseKernel, groups: int = 1) -> PhaseConvTranspose:
    """Return the layer that equals a kernel everywhere, borders included.

    Args:
        kernel: the upsampler; (out, in, *k), dense.
        groups: of the layer; blocks of the kernel outside the groups must be zero, and are left out.
    """
    padding, extra, crop, zeros = transposed_geometry(kernel)
    weight = F.pad(kernel.weight, flat_pads(zeros))
    out, rows = weight.shape[0] // groups, weight.shape[1] // groups
    # torch's layout: (in, out / groups, *k)
    blocks = [
        weight[g * out : (g + 1) * out, g * rows : (g + 1) * rows].transpose(0, 1) for g in range(groups)
    ]
    kind = "none" if kernel.bias is None else "phase" if kernel.bias.ndim > 1 else "channel"
    layer = PhaseConvTranspose(
        kernel.in_channels,
        kernel.out_channels,
        tuple(weight.shape[2:]),
        kernel.stride,
        padding,
        extra,
        crop,
        groups,
        kind,
        device=weight.device,
        dtype=weight.dtype,
    )
    with torch.no_grad():
        layer.weight.copy_(torch.cat(blocks))
        if layer.bias is not None and kernel.bias is not None:
            layer.bias.copy_(kernel.bias)
    return layer
