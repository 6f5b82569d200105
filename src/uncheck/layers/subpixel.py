"""Sub-pixel convolution: a convolution whose channels become pixels."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from uncheck.geometry import Sizes
from uncheck.layers.axes import ConvLayer, on_axes, one_factor, symmetric_padding
from uncheck.layers.icnr import icnr_
from uncheck.phases import pixel_shuffle
from uncheck.phases.axes import CONVS


class SubpixelConv(ConvLayer):
    """Convolution, then pixel shuffle:  y[c, r i + p] = (W[c r^n + p] * x)[i] + b[c r^n + p].

    It starts with all phases alike (ICNR), so that constants stay constant; training may untie them, which
    ResizeConv and SmoothConvTranspose rule out. Channels are ordered as torch.nn.PixelShuffle does, c r r +
    i r + j, and by the same rule on one or three axes. The convolution is the submodule `conv`, to which
    weight_norm or spectral_norm can be applied.

    Args:
        in_channels, groups, bias, device, dtype: as for torch.nn.Conv2d.
        out_channels: of the output; the convolution has prod(scale_factor) times as many.
        kernel_size: in input pixels, one integer or one per axis.
        scale_factor: r, one integer >= 1 or one per axis; 2 if not given.
        padding: input pixels at both ends. Default: dilation (kernel_size - 1) / 2, so that the output is
            exactly scale_factor times the input, for which dilation (kernel_size - 1) must be even. Where
            it is odd only padding=0 is allowed: equal padding would shift the output by half an input pixel.
        dilation: input pixels between taps.
        padding_mode: "zeros", "reflect", "replicate" or "circular".
        icnr: start with `icnr_`; False leaves torch's initialisation, which has a lattice.
        ndim: 1 to 3; taken from the first tuple among the sizes, else 2. SubpixelConv1d, 2d and 3d state it.
        upscale_factor, stride: other names of scale_factor; upscale_factor is an attribute as well.

    Shape: (batch, in_channels, *size) to (batch, out_channels, *(r (size + 2 padding - dilation (k - 1))));
        the batch may be left out.

    Raises:
        UncheckError: arguments that do not fit; in forward, an input that does not.

    Cost: prod(k) prod(r) in out / groups multiplications per input pixel, as many as a transposed convolution
        of kernel r k and stride r.
    Source: Shi et al., "Real-time single image and video super-resolution ...", CVPR 2016.

    Example:
        >>> import torch
        >>> SubpixelConv2d(3, 8, 3, scale_factor=2)(torch.ones(1, 3, 4, 4)).shape
        torch.Size([1, 8, 8, 8])
    """

    scale_factor: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        scale_factor: Sizes | None = None,
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
        upscale_factor: Sizes | None = None,
        stride: Sizes | None = None,
    ) -> None:
        super().__init__()
        factor = one_factor(2, scale_factor=scale_factor, upscale_factor=upscale_factor, stride=stride)
        self.set_channels(in_channels, out_channels, groups, padding_mode)
        self.set_sizes(ndim, kernel_size=kernel_size, scale_factor=factor, padding=padding, dilation=dilation)
        self.padding = symmetric_padding(padding, self.kernel_size, self.dilation)
        self.icnr = bool(icnr)
        self.conv = CONVS[self.ndim - 1](
            in_channels,
            out_channels * math.prod(self.scale_factor),
            self.kernel_size,  # type: ignore[arg-type]
            padding=self.padding,  # type: ignore[arg-type]
            dilation=self.dilation,  # type: ignore[arg-type]
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,  # type: ignore[arg-type]
            device=device,
            dtype=dtype,
        )
        if self.icnr:
            icnr_(self)

    @property
    def upscale_factor(self) -> tuple[int, ...]:
        """The former name of `scale_factor`."""
        return self.scale_factor

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state of a pickle that is older than the name `scale_factor`."""
        former = state.pop("upscale_factor", None)
        state = state if former is None else {**state, "scale_factor": former}
        super().__setstate__(state)  # type: ignore[no-untyped-call]

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        self.conv.reset_parameters()
        if self.icnr:
            icnr_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged output."""
        self.check_input(x, self.in_channels)
        if self.padding_mode in ("reflect", "circular"):
            least = 1 if self.padding_mode == "reflect" else 0
            reach = [p + least for p in self.padding]
            self.check_reach(x, reach, "use a larger input or another padding_mode")
        return pixel_shuffle(self.conv(x), self.scale_factor)

    def extra_repr(self) -> str:
        """Name the factor; the convolution shows the rest."""
        return f"scale_factor={self.scale_factor}" + ("" if self.icnr else ", icnr=False")


SubpixelConv1d, SubpixelConv2d, SubpixelConv3d = on_axes(SubpixelConv)
