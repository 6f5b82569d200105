"""Sub-pixel convolution: a convolution whose channels become pixels."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.layers.axes import Sizes, axes_of, check_channels, per_axis
from uncheck.layers.icnr import icnr_

CONV = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class SubpixelConv(nn.Module):
    """Convolution, then pixel shuffle:  y[c, r i + p] = (W[c r^n + p] * x)[i] + b[c r^n + p].

    It starts with all phases alike (ICNR), so that constants stay constant; training may untie them, which
    ResizeConv and SmoothConvTranspose rule out. Channels are ordered as torch.nn.PixelShuffle does, c r r +
    i r + j, and by the same rule on one or three axes. The convolution is the submodule `conv`, to which
    weight_norm or spectral_norm can be applied.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; the convolution has prod(upscale_factor) times as many.
        kernel_size: in input pixels, one integer or one per axis.
        upscale_factor: r, one integer >= 1 or one per axis.
        padding: input pixels at both ends. Default: dilation (kernel_size - 1) / 2, so that the output is
            exactly upscale_factor times the input, for which dilation (kernel_size - 1) must be even. Where
            it is odd only padding=0 is allowed: equal padding would shift the output by half an input pixel.
        dilation: input pixels between taps.
        groups: divides in_channels and out_channels.
        bias: whether to add one.
        padding_mode: "zeros", "reflect", "replicate" or "circular".
        icnr: start with `icnr_`; False leaves torch's initialisation, which has a lattice.
        ndim: number of axes, 1 to 3; taken from the first tuple among kernel_size, upscale_factor, padding
            and dilation, else 2. SubpixelConv1d, 2d and 3d state it.
        device: of the parameters.
        dtype: of the parameters.

    Shape: (batch, in_channels, *size) to (batch, out_channels, *(r (size + 2 padding - dilation (k - 1))));
        the batch may be left out.

    Raises:
        ValueError: arguments that do not fit; in forward, an input that does not.

    Cost: prod(k) prod(r) in out / groups multiplications per input pixel, as many as a transposed convolution
        of kernel r k and stride r.
    Source: Shi et al., "Real-time single image and video super-resolution ...", CVPR 2016.

    """

    _ndim: int | None = None
    ndim: int
    in_channels: int
    out_channels: int
    factors: list[int]
    reach: list[int]
    padding_mode: str

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        upscale_factor: Sizes = 2,
        padding: Sizes | None = None,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        icnr: bool = True,
        ndim: int | None = None,
        device: object = None,
        dtype: object = None,
    ) -> None:
        super().__init__()
        n = axes_of(self._ndim or ndim, kernel_size, upscale_factor, padding, dilation)
        check_channels(in_channels, out_channels, groups)
        factor = per_axis("upscale_factor", upscale_factor, n, 1)
        k = per_axis("kernel_size", kernel_size, n, 1)
        d = per_axis("dilation", dilation, n, 1)
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {', '.join(PADDING_MODES)}, not {padding_mode!r}")
        span = [b * (a - 1) for a, b in zip(k, d, strict=True)]
        sizes = tuple(a // 2 for a in span) if padding is None else per_axis("padding", padding, n, 0)
        if any(a % 2 and (padding is None or p) for a, p in zip(span, sizes, strict=True)):
            raise ValueError(
                f"an even kernel cannot be padded alike at both ends: kernel_size {k} with dilation {d} "
                "would shift the output by half a pixel; use an odd kernel, or padding=0 and pad the input"
            )
        self.ndim = n
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.upscale_factor = factor
        self.factors = list(factor)
        self.reach = list(sizes)
        self.padding_mode = padding_mode
        self.icnr = bool(icnr)
        self.conv = CONV[n - 1](
            in_channels,
            out_channels * math.prod(factor),
            k,  # type: ignore[arg-type]
            padding=sizes,  # type: ignore[arg-type]
            dilation=d,  # type: ignore[arg-type]
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,  # type: ignore[arg-type]
            device=device,
            dtype=dtype,
        )
        if self.icnr:
            icnr_(self)

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        self.conv.reset_parameters()
        if self.icnr:
            icnr_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Give the enlarged output."""
        if x.dim() not in (self.ndim + 1, self.ndim + 2) or x.shape[-self.ndim - 1] != self.in_channels:
            raise ValueError(
                f"SubpixelConv takes (batch, {self.in_channels}, {self.ndim} axes), not shape {list(x.shape)}"
            )
        if self.padding_mode == "reflect" or self.padding_mode == "circular":
            least = 1 if self.padding_mode == "reflect" else 0
            for axis in range(self.ndim):
                if x.shape[axis - self.ndim] < self.reach[axis] + least:
                    raise ValueError(
                        f"SubpixelConv cannot pad {list(x.shape)} by {self.reach} in mode "
                        f"{self.padding_mode}: use a larger input or another padding_mode"
                    )
        return shuffle(self.conv(x), self.factors)

    def extra_repr(self) -> str:
        """Name the factor; the convolution shows the rest."""
        return f"upscale_factor={self.upscale_factor}" + ("" if self.icnr else ", icnr=False")


class SubpixelConv1d(SubpixelConv):
    """SubpixelConv on one axis."""

    _ndim = 1


class SubpixelConv2d(SubpixelConv):
    """SubpixelConv on two axes."""

    _ndim = 2


class SubpixelConv3d(SubpixelConv):
    """SubpixelConv on three axes."""

    _ndim = 3


def shuffle(x: Tensor, factor: list[int]) -> Tensor:
    """Move channels to pixels on one to three axes; scriptable, the batch may be left out.

    Args:
        x: (batch, out * prod(factor), *size) or without batch.
        factor: r per axis; channels ordered as torch.nn.PixelShuffle.

    Returns:
        (batch, out, *(r * size)).

    """
    n = len(factor)
    if n == 2 and factor[0] == factor[1]:
        return F.pixel_shuffle(x, factor[0])
    phases = 1
    for r in factor:
        phases *= r
    first = x.dim() - n - 1
    lead = [x.shape[axis] for axis in range(first)] + [x.shape[first] // phases]
    size = [x.shape[first + 1 + axis] for axis in range(n)]
    order = list(range(first + 1))
    full: list[int] = []
    for axis in range(n):
        order += [first + 1 + n + axis, first + 1 + axis]
        full += [size[axis] * factor[axis]]
    return x.reshape(lead + factor + size).permute(order).reshape(lead + full)
