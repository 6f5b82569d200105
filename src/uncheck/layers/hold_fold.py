"""A hold folded into the upsampler before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.layers.filters import hold_power
from uncheck.layers.hold import Hold
from uncheck.layers.subpixel import SubpixelConv
from uncheck.phases import (
    ConvTransposeForm,
    PhaseKernel,
    from_conv_transpose,
    from_pixel_shuffle,
    to_conv_transpose,
)
from uncheck.phases.axes import CONV_TRANSPOSES, CONVS, ConvTranspose


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
