"""A hold folded into the upsampler before it."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.layers.hold import Hold, hold_power
from uncheck.layers.subpixel import SubpixelConv
from uncheck.phases import PhaseKernel, from_pixel_shuffle, to_conv_transpose
from uncheck.phases.axes import CONV_TRANSPOSES

ConvTranspose = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
CONV = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def fold_hold(layer: nn.Module, hold: Hold) -> ConvTranspose:
    """Give one transposed convolution for a layer followed by a hold:  W' = hold filter * W.

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
        ValueError: a layer that is none of these, or pads with other than zeros; other numbers of axes; a
            bias per phase that the hold does not even, its stride being no multiple of the layer's.

    Cost: of the new layer, prod(k + (order + 1)(s - 1)) in out / groups multiplications per input pixel;
        groups of sub-pixel layers become dense. The pair does prod(k) in out / groups and the hold's, fewer
        unless the layer has few channels; what folding always saves is a pass over the output.

    """
    if isinstance(layer, CONV_TRANSPOSES):
        if layer.weight.dim() != 2 + hold.ndim:
            raise _other_axes(layer.weight.dim() - 2, hold)
        return _fold_transposed(layer, hold)
    conv, factor = _sub_pixel(layer)
    if conv.weight.dim() != 2 + hold.ndim:
        raise _other_axes(conv.weight.dim() - 2, hold)
    return _fold_sub_pixel(conv, factor, hold)


def _fold_transposed(layer: Any, hold: Hold) -> ConvTranspose:
    weight = layer.weight.detach().double()
    size: list[int] = []
    padding, extra, pads = [], [], list[int]()
    for axis, s in enumerate(hold.stride):
        d, k = layer.dilation[axis], weight.shape[2 + axis]
        taps = (hold.order + 1) * (s - 1) + 1
        size.append(d * (k - 1) + 1)
        # the hold reads `before` pixels towards the start and `after` towards the end
        before, after = taps // 2, (taps - 1) // 2
        crop, more = layer.padding[axis] + after, layer.output_padding[axis] - (before - after)
        # torch wants 0 <= output_padding < stride: a zero tap in front raises it, zeros at the end lower it
        front, end = max(0, -more), max(0, more - (layer.stride[axis] - 1))
        padding.append(crop + front)
        extra.append(more + front - end)
        pads = [front, end, *pads]
    spread = weight.new_zeros(*weight.shape[:2], *size)
    spread[(..., *(slice(None, None, d) for d in layer.dilation))] = weight
    weight = F.pad(_convolved(spread, hold), pads)
    bias = None if layer.bias is None else layer.bias.detach()
    return _layer(layer, weight, bias, layer.stride, padding, extra, layer.groups)


def _fold_sub_pixel(conv: Any, factor: Sequence[int], hold: Hold) -> ConvTranspose:
    bias = None if conv.bias is None else conv.bias.detach().double()
    plain = from_pixel_shuffle(
        conv.weight.detach().double(), bias, factor, conv.padding, conv.dilation, conv.groups
    )
    after = [((hold.order + 1) * (s - 1)) // 2 for s in hold.stride]
    if bias is not None:
        # a bias per phase repeats every `factor` pixels, and a hold of that period leaves its mean
        even = all(s % f == 0 for s, f in zip(hold.stride, factor, strict=True))
        bias = plain.phase_bias().flatten(1).mean(1) if even else plain.phase_bias()
    folded = PhaseKernel(
        _convolved(plain.weight, hold),
        plain.stride,
        bias,
        tuple(o + a for o, a in zip(plain.offset, after, strict=True)),
        plain.margin,
    )
    try:
        form = to_conv_transpose(folded)
    except UncheckError as error:
        raise ValueError(
            f"a hold of stride {hold.stride} does not even the bias per phase of a layer of factor "
            f"{tuple(factor)}, so no transposed convolution equals the two: "
            f"use a hold of stride {tuple(factor)}"
        ) from error
    return _layer(
        conv, form["weight"], form["bias"], form["stride"], form["padding"], form["output_padding"], 1
    )


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


def _layer(
    like: Any,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    extra: Sequence[int],
    groups: int,
) -> ConvTranspose:
    new = CONV_TRANSPOSES[weight.dim() - 3](
        weight.shape[0],
        weight.shape[1] * groups,
        tuple(weight.shape[2:]),  # type: ignore[arg-type]
        stride=tuple(stride),  # type: ignore[arg-type]
        padding=tuple(padding),  # type: ignore[arg-type]
        output_padding=tuple(extra),  # type: ignore[arg-type]
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
    if conv is None or not isinstance(conv, CONV):
        raise ValueError(
            f"a hold cannot be folded into {type(layer).__name__}: give a transposed convolution, a "
            "SubpixelConv, or nn.Sequential(convolution, nn.PixelShuffle)"
        )
    if conv.padding_mode != "zeros":
        raise ValueError(
            f"a hold cannot be folded into a sub-pixel convolution with padding_mode={conv.padding_mode!r}: "
            "a transposed convolution has zeros beyond the border; use padding_mode='zeros'"
        )
    if max(conv.stride) > 1 or isinstance(conv.padding, str):
        raise ValueError(
            f"a hold can be folded into a sub-pixel convolution of stride 1 with padding in numbers, not "
            f"stride {conv.stride} and padding {conv.padding!r}"
        )
    return conv, factor


def _other_axes(axes: int, hold: Hold) -> ValueError:
    return ValueError(f"a hold on {hold.ndim} axes cannot be folded into a layer on {axes}: use Hold{axes}d")
