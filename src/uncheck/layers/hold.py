"""Fixed smoothing after an upsampler, which removes every lattice of its stride, or folded into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes, per_axis
from uncheck.layers.axes import AxisLayer, on_axes
from uncheck.layers.filters import FixedFilters, filter_taps, hold_power, smooth
from uncheck.layers.subpixel import SubpixelConv
from uncheck.phases import (
    ConvTransposeForm,
    PhaseKernel,
    from_conv_transpose,
    from_pixel_shuffle,
    to_conv_transpose,
)
from uncheck.phases.axes import CONV_TRANSPOSES, CONVS, ConvTranspose, flat_pads


class Hold(FixedFilters, AxisLayer):
    """Smooth by the hold of an upsampler's stride:  y = h * x,  h = (hold * ... * hold) / s^(order + 1).

    hold = (1, ..., 1) of length s, convolved order + 1 times along each axis. Its response vanishes at all
    frequencies a/s, a = 1 .. s-1, to multiplicity order + 1: whatever repeats every s pixels becomes its
    mean. The taps sum to one, so constants keep their value. The size stays.

    At the borders the first and the last s pixels are repeated outwards, x[-j] = x[s ceil(j / s) - j], which
    keeps constants constant and continues a lattice as a lattice: both laws hold up to the last pixel.

    The filter has L = (order + 1)(s - 1) + 1 taps. Where L is even it reads L/2 pixels before and L/2 - 1
    after, which moves the picture by half a pixel towards the end: a transposed convolution with an odd
    kernel, k3 s2 p1 output_padding 1 for example, puts input pixel m on output pixel 2 m, and Hold moves it
    to 2 m + 1/2, where nearest and linear resizes have it. For odd L nothing moves.

    Args:
        stride: s of the upsampler, one integer >= 1 or one per axis.
        order: 0 for one hold, d for its (d + 1)-fold convolution; one more zero at the lattice each, and
            blur.
        ndim: 1 to 3; taken from stride if that is a tuple, else 2. Hold1d, 2d and 3d state it.
        device, dtype: of the filter, a buffer that is not saved; its type follows the input's.

    Shape: (batch, any channels, *size) to the same; the batch may be left out. No axis may be shorter than s.

    Raises:
        UncheckError: arguments that do not fit; in forward, an input that does not.

    Cost: s^n multiplications per pixel, n s where that is more than 64, and about as many again for each
        order.
    Source: Kinoshita and Kiya, "Fixed smooth convolutional layer for avoiding checkerboard artifacts in
        CNNs", ICASSP 2020, for the (order + 1)-fold hold; gain, strides and borders are treated here.

    Example:
        >>> Hold1d(2)(torch.tensor([[[1.0, 3.0, 1.0, 3.0]]]))
        tensor([[[2., 2., 2., 2.]]])
    """

    stride: tuple[int, ...]
    box: Tensor
    rest: Tensor

    def __init__(
        self, stride: Sizes, order: int = 0, *, ndim: int | None = None, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.set_sizes(ndim, stride=stride)
        (self.order,) = per_axis("order", order, 1, 0)
        self._rest_sizes = [self.order * (s - 1) + 1 for s in self.stride]
        taps = [(self.order + 1) * (s - 1) + 1 for s in self.stride]
        self._pads = flat_pads((n // 2, (n - 1) // 2) for n in taps)
        empty = torch.empty(0, device=device, dtype=dtype)
        self.register_buffer("box", empty, persistent=False)
        self.register_buffer("rest", empty, persistent=False)
        self.make_filters()

    def make_filters(self) -> None:
        """Compute the filter anew."""
        self.box = filter_taps([hold_power(s, 1) for s in self.stride], self.box)
        self.rest = filter_taps([hold_power(s, self.order) for s in self.stride], self.box)

    def forward(self, x: Tensor) -> Tensor:
        """Return the smoothed input."""
        self.check_input(x)
        self.check_reach(x, self.stride)
        # In an extension that repeats the first s pixels, all windows of s pixels that end before pixel s
        # hold the same s values, and so have the mean of the first window inside; likewise at the end. So one
        # hold of the extended input is the hold of the input alone, its first and last value repeated.
        y = smooth(x, self.box, self.stride, [1] * self.ndim)
        y = F.pad(y, self._pads, mode="replicate")
        return smooth(y, self.rest, self._rest_sizes, [1] * self.ndim) if self.order > 0 else y

    def extra_repr(self) -> str:
        """Name stride and order."""
        return f"stride={self.stride}, order={self.order}"


Hold1d, Hold2d, Hold3d = on_axes(Hold)


def fold_hold(layer: nn.Module, hold: Hold) -> ConvTranspose:
    """Return one transposed convolution for a layer followed by a hold:  W' = hold filter * W.

    Same stride, same output size, (order + 1)(s - 1) more taps per axis, s being the hold's stride. Without
    padding, dilation and output_padding W' is all; those are carried over, dilation as zeros between the
    taps.

    It equals layer and hold wherever the hold reads no pixel beyond the layer's output: all but the first
    L // 2 and the last (L - 1) // 2 pixels of each axis, L = (order + 1)(s - 1) + 1. In those the hold
    repeats the outermost period, and the folded layer reads what the layer's padding had cropped, then zeros:
    it fades towards the border as every transposed convolution does.

    The new weights are free parameters: training may bring the lattice back.

    Args:
        layer: nn.ConvTranspose1d, 2d or 3d; SubpixelConv; or nn.Sequential of a convolution of stride 1 and
            nn.PixelShuffle. Sub-pixel layers need zero padding. Read, not changed; a parametrised weight
            counts as it stands.
        hold: its stride need not be the layer's.

    Raises:
        UncheckError: a layer that is none of these, or pads with other than zeros; other numbers of axes; a
            bias per phase that the hold does not even, its stride being no multiple of the layer's.

    Cost: of the new layer, prod(k + (order + 1)(s - 1)) in out / groups multiplications per input pixel;
        groups of sub-pixel layers become dense. The pair does prod(k) in out / groups and the hold's, fewer
        unless the layer has few channels; what folding always saves is a pass over the output.

    Example:
        >>> fold_hold(nn.ConvTranspose2d(4, 3, 3, 2, padding=1, output_padding=1), Hold(2))
        ConvTranspose2d(4, 3, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))
    """
    if isinstance(layer, CONV_TRANSPOSES):
        return _fold_transposed(layer, hold)
    return _fold_sub_pixel(*_sub_pixel(layer), hold)


def _fold_transposed(layer: Any, hold: Hold) -> ConvTranspose:
    _check_axes(layer, hold)
    # groups: the taps of every pair of channels are folded alike, wherever the pair stands
    kernel = from_conv_transpose(
        layer.weight.double(), None, layer.stride, layer.padding, layer.output_padding, layer.dilation
    )
    bias = None if layer.bias is None else layer.bias.detach()
    return _layer(layer, to_conv_transpose(_folded(kernel, hold)), bias, layer.groups)


def _fold_sub_pixel(conv: Any, factor: Sequence[int], hold: Hold) -> ConvTranspose:
    _check_axes(conv, hold)
    bias = None if conv.bias is None else conv.bias.double()
    kernel = from_pixel_shuffle(conv.weight.double(), bias, factor, conv.padding, conv.dilation, conv.groups)
    if bias is not None and all(s % f == 0 for s, f in zip(hold.stride, factor, strict=True)):
        # a bias per phase repeats every `factor` pixels, and a hold of that period leaves its mean
        kernel = replace(kernel, bias=kernel.phase_bias().flatten(1).mean(1))
    try:
        form = to_conv_transpose(_folded(kernel, hold))
    except UncheckError as error:
        raise UncheckError(
            f"a hold of stride {hold.stride} does not even the bias per phase of a layer of factor "
            f"{tuple(factor)}, so no transposed convolution equals the two: "
            f"use a hold of stride {tuple(factor)}"
        ) from error
    return _layer(conv, form, form["bias"], 1)


def _folded(kernel: PhaseKernel, hold: Hold) -> PhaseKernel:
    """Return the kernel followed by the hold, which reads taps // 2 pixels before and the rest after."""
    after = [((hold.order + 1) * (s - 1)) // 2 for s in hold.stride]
    offset = tuple(o + a for o, a in zip(kernel.offset, after, strict=True))
    return replace(kernel, weight=_convolved(kernel.weight, hold), offset=offset, support=None)


def _convolved(weight: Tensor, hold: Hold) -> Tensor:
    """Convolve every kernel (a, b, *k) with the hold's filter: (order + 1)(s - 1) more taps per axis."""
    for axis, s in enumerate(hold.stride):
        taps = weight.new_tensor(hold_power(s, hold.order + 1))
        moved = weight.movedim(2 + axis, -1)
        flat = F.conv1d(
            moved.reshape(-1, 1, moved.shape[-1]), (taps / taps.sum())[None, None], padding=len(taps) - 1
        )
        weight = flat.reshape(*moved.shape[:-1], -1).movedim(-1, 2 + axis)
    return weight


def _layer(like: Any, form: ConvTransposeForm, bias: Tensor | None, groups: int) -> ConvTranspose:
    weight = form["weight"]
    new = CONV_TRANSPOSES[weight.dim() - 3](
        weight.shape[0],
        weight.shape[1] * groups,
        tuple(weight.shape[2:]),  # type: ignore[arg-type]
        stride=form["stride"],  # type: ignore[arg-type]
        padding=form["padding"],  # type: ignore[arg-type]
        output_padding=form["output_padding"],  # type: ignore[arg-type]
        groups=groups,
        bias=bias is not None,
        device="meta",
        dtype=like.weight.dtype,
    )
    new.weight = nn.Parameter(weight.to(like.weight.dtype).contiguous())
    if bias is not None:
        new.bias = nn.Parameter(bias.to(like.weight.dtype).clone())
    return new.train(like.training)


def _sub_pixel(layer: nn.Module) -> tuple[Any, tuple[int, ...]]:
    conv: Any = None
    factor: tuple[int, ...] = ()
    if isinstance(layer, SubpixelConv):
        conv, factor = layer.conv, tuple(layer.upscale_factor)
    elif isinstance(layer, nn.Sequential) and len(layer) == 2 and isinstance(layer[1], nn.PixelShuffle):
        conv, factor = layer[0], (layer[1].upscale_factor,) * 2
    if conv is None or not isinstance(conv, CONVS):
        raise UncheckError(
            f"a hold cannot be folded into {type(layer).__name__}: give a transposed convolution, a "
            "SubpixelConv, or nn.Sequential(convolution, nn.PixelShuffle)"
        )
    if conv.padding_mode != "zeros":
        raise UncheckError(
            f"a hold cannot be folded into a sub-pixel convolution with padding_mode={conv.padding_mode!r}: "
            "a transposed convolution has zeros beyond the border; use padding_mode='zeros'"
        )
    if max(conv.stride) > 1 or isinstance(conv.padding, str):
        raise UncheckError(
            f"a hold can be folded into a sub-pixel convolution of stride 1 with padding in numbers, not "
            f"stride {conv.stride} and padding {conv.padding!r}"
        )
    return conv, factor


def _check_axes(layer: Any, hold: Hold) -> None:
    axes = layer.weight.dim() - 2
    if axes != hold.ndim:
        raise UncheckError(
            f"a hold on {hold.ndim} axes cannot be folded into a layer on {axes}: use Hold{axes}d"
        )
