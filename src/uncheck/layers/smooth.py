"""A transposed convolution whose phase gains are equal by construction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes, layer
from uncheck.layers.axes import ConvLayer, check_word, on_axes, one_factor
from uncheck.layers.gains import EqualGain
from uncheck.phases.axes import CONV_TRANSPOSES, ConvTranspose, conv_transpose
from uncheck.phases.kernel import tap_phases


class SmoothConvTranspose(ConvLayer):
    """Transposed convolution with the projection of its weight:  y[n] = sum_m (W P)[n - s m] x[m] + b.

    All phases have the same gain (order 1), so that constants come out constant, whatever it learns. It holds
    the raw weight as torch's layer does, with the same checkpoint keys, so that checkpoints of
    torch.nn.ConvTranspose load and are evened. It projects in its own forward, not through
    torch.nn.utils.parametrize, because torch does not pickle parametrised modules.

    It starts with the variance of torch's convolutions (a third of the input's, per output pixel), alike on
    all phases at order 1 also where the kernel is not divisible by the stride.

    Args:
        in_channels, out_channels, groups, bias, device, dtype: as for torch.nn.ConvTranspose2d.
        kernel_size: in output pixels, one integer or one per axis; at least order (stride - 1) + 1.
        stride: upsampling factor; 1 if not given. It has torch's name, as the layer has torch's arguments.
        padding: output pixels cropped at both ends.
        output_padding: output pixels added at the end; smaller than stride or dilation.
        dilation: output pixels between taps.
        padding_mode: "zeros", as torch's layer.
        order: 1 for constants, L for polynomials of degree < L.
        ndim: 1 to 3; taken from the first tuple among the sizes, else 2. SmoothConvTranspose1d, 2d and 3d
            state it.
        scale_factor, upscale_factor: other names of stride; scale_factor is an attribute as well.

    Shape: (batch, in_channels, *size) to (batch, out_channels, *(s (size - 1) - 2 padding + 1 +
        dilation (k - 1) + output_padding)); the batch may be left out.

    Raises:
        UncheckError: arguments that do not fit, a kernel too small for the order; in forward, an input or an
            output_size that does not fit.

    Cost: that of the transposed convolution, and prod(k)^2 in out / groups multiplications a step.

    Example:
        >>> layer = SmoothConvTranspose1d(1, 1, 3, stride=2, bias=False)
        >>> bool(layer(torch.ones(1, 1, 4))[0, 0, 2:-2].std() < 1e-6)
        True
    """

    stride: tuple[int, ...]
    output_padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        *,
        order: int = 1,
        ndim: int | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
        scale_factor: Sizes | None = None,
        upscale_factor: Sizes | None = None,
    ) -> None:
        super().__init__()
        factor = one_factor(1, scale_factor=scale_factor, upscale_factor=upscale_factor, stride=stride)
        self.set_channels(in_channels, out_channels, groups, padding_mode)
        check_word("padding_mode of a transposed convolution", padding_mode, ("zeros",))
        self.set_sizes(
            ndim,
            kernel_size=kernel_size,
            stride=factor,
            padding=padding,
            output_padding=output_padding,
            dilation=dilation,
        )
        # which refuses an output_padding that reaches the next pixel
        layer(self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation)
        shape = (in_channels, out_channels // groups, *self.kernel_size)
        self.set_parameters(shape, bias, device, dtype)
        like = self.weight
        self.even = EqualGain(
            self.kernel_size, self.stride, self.dilation, order, device=like.device, dtype=like.dtype
        )
        self.reset_parameters()

    @property
    def order(self) -> int:
        """Strang-Fix order kept by construction."""
        return self.even.order

    def reset_parameters(self) -> None:
        """Draw the parameters anew: var y = var x / 3 for white x, on every phase alike if the order is 1.

        Draw every tap with variance 1 / taps of its phase, project, and restore the variance that the
        common gain lost: then E[G^2] = sum_j E[h_p[j]^2] = 1 / (3 in / groups) for every phase.
        """
        fan_in = self.in_channels // self.groups
        bound = 1 / math.sqrt(fan_in * math.prod(self.kernel_size) / math.prod(self.stride))
        with torch.no_grad():
            if not self.weight.is_meta:
                taps = _initial_taps(self.even).to(self.weight.device)
                noise = torch.empty(self.weight.shape, device=self.weight.device).uniform_(-1, 1)
                drawn = noise.flatten(2) @ taps.float() / math.sqrt(fan_in)
                self.weight.copy_(drawn.view(self.weight.shape))
            if self.bias is not None:
                self.bias.uniform_(-bound, bound)

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the enlarged output; output_size, the sizes of the axes, replaces output_padding."""
        self.check_input(x, self.in_channels)
        extra: Sequence[int] = self.output_padding
        if output_size is not None:
            extra = self.output_padding_for(x.shape[-self.ndim :], output_size)
        weight = self.even(self.weight)
        return conv_transpose(
            x, weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )

    def output_padding_for(self, size: Sequence[int], output_size: Sequence[int]) -> list[int]:
        """Return the output_padding that leads from an input size to an output size, per axis."""
        name = self.named()
        if len(output_size) < self.ndim:
            raise UncheckError(f"{name} needs an output_size of {self.ndim} axes, not {list(output_size)}")
        extra: list[int] = []
        for axis, wanted in enumerate(output_size[-self.ndim :]):
            s, d = self.stride[axis], self.dilation[axis]
            least = s * (size[axis] - 1) - 2 * self.padding[axis] + d * (self.kernel_size[axis] - 1) + 1
            if not 0 <= wanted - least < max(s, d):
                raise UncheckError(
                    f"{name} cannot give output_size {list(output_size)} for an input of size {list(size)}"
                )
            extra.append(wanted - least)
        return extra

    def to_conv_transpose(self) -> ConvTranspose:
        """Return the plain torch layer with the projected weight, equal to this one."""
        plain = CONV_TRANSPOSES[self.ndim - 1](
            self.in_channels,
            self.out_channels,
            self.kernel_size,  # type: ignore[arg-type]
            stride=self.stride,  # type: ignore[arg-type]
            padding=self.padding,  # type: ignore[arg-type]
            output_padding=self.output_padding,  # type: ignore[arg-type]
            groups=self.groups,
            bias=self.bias is not None,
            dilation=self.dilation,  # type: ignore[arg-type]
            device=self.weight.device,
            dtype=self.weight.dtype,
        )
        with torch.no_grad():
            plain.weight.copy_(self.even(self.weight))
            if plain.bias is not None and self.bias is not None:
                plain.bias.copy_(self.bias)
        return plain.train(self.training)

    @property
    def scale_factor(self) -> tuple[int, ...]:
        """The upsampling factor by the name that the other layers have for it: `stride`."""
        return self.stride

    def extra_repr(self) -> str:
        """Name the arguments as torch's layer does."""
        return self.describe("kernel_size", "stride", padding=0, output_padding=0, dilation=1)


SmoothConvTranspose1d, SmoothConvTranspose2d, SmoothConvTranspose3d = on_axes(SmoothConvTranspose)


def _initial_taps(even: EqualGain) -> Tensor:
    """Return M, (prod(k), prod(k)): z M has the phase variances reset_parameters states, for white z."""
    axes = zip(even.kernel_size, even.dilation, strict=True)
    phase = tap_phases([d * torch.arange(k, device="cpu") for k, d in axes], even.stride).flatten()
    phases = math.prod(even.stride)
    counts = torch.bincount(phase, minlength=phases).double()
    projection = even.exact()
    root = counts[phase].rsqrt()
    # u is the kernel that carries the common gain G = u . h / phases; give it variance one
    u = projection.sum(1)
    boost = phases / float((u * root).norm())
    taps = root[:, None] * projection
    taps = taps + (boost - 1) * torch.outer(taps @ u, u) / (u @ u)
    return taps * (phases / taps.square().sum()).sqrt()
