"""A transposed convolution with a bias per phase and a crop at the end: any upsampling kernel as a layer."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.phases import PhaseKernel


class PhaseConvTranspose(nn.Module):
    """Transposed convolution  y[n] = sum_m h[n + padding - s m] x[m] + b[n mod s],  cropped at the end.

    What a repaired upsampler becomes: torch's layer has no bias per phase, and cannot put a kernel of even
    size on the grid of an odd one without taps of weight zero.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: per axis, output pixels; 1 to 3 axes.
        stride: per axis.
        padding: per axis, output pixels cropped at both ends, as torch does.
        output_padding: per axis, output pixels added at the end, as torch does.
        crop: per axis, output pixels taken off the end after that; None for none.
        groups: divides in_channels and out_channels.
        bias: "none", "channel" (out_channels,) or "phase" (out_channels, *stride).
        device: of the parameters.
        dtype: of the parameters.

    Shape: (batch, in_channels, *size) to (batch, out_channels, *(s (size - 1) + k - 2 padding +
        output_padding - crop)).

    Raises:
        ValueError: arguments that do not fit; in forward, an input that does not.

    Cost: that of torch's transposed convolution with this kernel; a bias per phase adds one pass over the
        output.

    """

    # TorchScript reads these as types, so this file has no `from __future__ import annotations`
    steps: list[int]
    edges: list[int]
    extra: list[int]
    cut: list[int]

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
        n = len(kernel_size)
        cut = [0] * n if crop is None else list(crop)
        if not 1 <= n <= 3 or any(len(each) != n for each in (stride, padding, output_padding, cut)):
            raise ValueError(
                "PhaseConvTranspose takes 1 to 3 axes, and one entry per axis of kernel_size, stride, "
                f"padding, output_padding and crop, not {list(kernel_size)}, {list(stride)}, "
                f"{list(padding)}, {list(output_padding)} and {cut}"
            )
        if min(in_channels, out_channels, groups) < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"PhaseConvTranspose: groups {groups} must divide {in_channels} and {out_channels} channels"
            )
        if bias not in ("none", "channel", "phase"):
            raise ValueError(f"PhaseConvTranspose: bias must be 'none', 'channel' or 'phase', not {bias!r}")
        self.ndim, self.in_channels, self.out_channels, self.groups = n, in_channels, out_channels, groups
        self.kernel_size, self.stride, self.bias_kind = tuple(kernel_size), tuple(stride), bias
        # lists are what TorchScript can index by a variable
        self.steps, self.edges = list(stride), list(padding)
        self.extra, self.cut = list(output_padding), cut
        self.per_phase = bias == "phase"
        self.weight = nn.Parameter(
            torch.empty(in_channels, out_channels // groups, *kernel_size, device=device, dtype=dtype)
        )
        if bias == "none":
            self.register_parameter("bias", None)
        else:
            shape = (out_channels, *stride) if self.per_phase else (out_channels,)
            self.bias = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight uniformly, as torch does, and set the bias to zero."""
        fan_in = self.weight[0].numel()
        with torch.no_grad():
            self.weight.uniform_(-(fan_in**-0.5), fan_in**-0.5)
            if self.bias is not None:
                self.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Give the enlarged output."""
        n = self.ndim
        if x.dim() != n + 2 or x.shape[1] != self.in_channels:
            raise ValueError(
                f"PhaseConvTranspose takes (batch, {self.in_channels}, {n} axes), not shape {list(x.shape)}"
            )
        plain = None if self.per_phase else self.bias
        if n == 1:
            y = F.conv_transpose1d(x, self.weight, plain, self.steps, self.edges, self.extra, self.groups)
        elif n == 2:
            y = F.conv_transpose2d(x, self.weight, plain, self.steps, self.edges, self.extra, self.groups)
        else:
            y = F.conv_transpose3d(x, self.weight, plain, self.steps, self.edges, self.extra, self.groups)
        for axis in range(n):
            if self.cut[axis] > 0:
                y = y.narrow(2 + axis, 0, y.shape[2 + axis] - self.cut[axis])
        if self.per_phase and self.bias is not None:
            tile: Tensor = self.bias
            for axis in range(n):
                size = y.shape[2 + axis]
                times = [1] * (n + 1)
                times[1 + axis] = (size + self.steps[axis] - 1) // self.steps[axis]
                tile = tile.repeat(times).narrow(1 + axis, 0, size)
            y = y + tile
        return y

    def extra_repr(self) -> str:
        """Name the arguments that are not plain."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        )
        for name, values in (("padding", self.edges), ("output_padding", self.extra), ("crop", self.cut)):
            text += f", {name}={tuple(values)}" if any(values) else ""
        text += f", groups={self.groups}" if self.groups > 1 else ""
        return f"{text}, bias={self.bias_kind!r}"


def geometry_of(kernel: PhaseKernel) -> tuple[list[int], list[int], list[int], list[tuple[int, int]]]:
    """Give (padding, output_padding, crop, zeros to add before and after the taps) that place a kernel.

    Cost: none; taps of weight zero are needed only where the offset is negative or the output goes on for a
    stride or more beyond the last tap.
    """
    padding, extra, crop, zeros = [], [], [], []
    for k, s, offset, margin in zip(
        kernel.kernel_size, kernel.stride, kernel.offset, kernel.margin, strict=True
    ):
        front = max(0, -offset)
        start = offset + front
        missing = margin + s - (k + front) + 2 * start
        end = max(0, missing - (s - 1))
        padding.append(start)
        zeros.append((front, end))
        extra.append(max(0, missing - end))
        crop.append(max(0, -missing))
    return padding, extra, crop, zeros


def phase_conv_transpose(kernel: PhaseKernel, groups: int = 1) -> PhaseConvTranspose:
    """Give the layer that equals a kernel everywhere, borders included.

    Args:
        kernel: the upsampler; (out, in, *k), dense.
        groups: of the layer; blocks of the kernel outside the groups must be zero, and are left out.
    """
    padding, extra, crop, zeros = geometry_of(kernel)
    weight = F.pad(kernel.weight, [n for pair in reversed(zeros) for n in pair])
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
