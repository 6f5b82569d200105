"""Phase kernels as a transposed convolution, or as a convolution and a pixel shuffle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.phases.axes import flat_pads
from uncheck.phases.kernel import PhaseKernel


class ConvTransposeForm(TypedDict):
    """Arguments of torch.nn.functional.conv_transpose{1,2,3}d beside the input.

    Examples:
        >>> form = to_conv_transpose(PhaseKernel(torch.ones(1, 1, 3), stride=(2,)))
        >>> torch.nn.functional.conv_transpose1d(torch.ones(1, 1, 3), **form)
        tensor([[[1., 1., 2., 1., 2., 1., 1.]]])
    """

    weight: Tensor
    bias: Tensor | None
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]


class PixelShuffleForm(NamedTuple):
    """Pad the input, convolve without padding, pixel-shuffle, crop.

    Args:
        weight: (out * prod(factor), in, *taps).
        bias: (out * prod(factor),) or None.
        factor: of the pixel shuffle, per axis.
        padding: per axis (before, after), zeros added to the input; negative numbers crop it after that.
        crop: output pixels to take off the end of each axis.

    Examples:
        >>> form = to_pixel_shuffle(PhaseKernel(torch.ones(1, 1, 4), stride=(2,)))
        >>> form.factor, form.padding, form.crop
        ((2,), ((1, 1),), (0,))
    """

    weight: Tensor
    bias: Tensor | None
    factor: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    crop: tuple[int, ...]


def to_conv_transpose(kernel: PhaseKernel) -> ConvTransposeForm:
    """Write the kernel as one transposed convolution, equal everywhere, borders included.

    Where offset or size do not fit torch's padding, taps of weight zero are added at the ends.

    Args:
        kernel: the upsampler; its bias must be alike on all phases (to rounding: 16 eps).

    Returns:
        weight (in, out, *k), bias, stride, padding and output_padding for F.conv_transpose{1,2,3}d.

    Raises:
        UncheckError: the bias differs from phase to phase.

    Example:
        >>> form = to_conv_transpose(PhaseKernel(torch.ones(3, 2, 4), stride=(2,), offset=(1,), margin=(0,)))
        >>> form["weight"].shape, form["padding"]
        (torch.Size([2, 3, 4]), (1,))
    """
    padding, extra, crop, zeros = transposed_geometry(kernel)
    # instead of a crop at the end, one more tap of weight zero in front for each pixel
    pads = flat_pads((front + c, end) for c, (front, end) in zip(crop, zeros, strict=True))
    weight = kernel.weight.transpose(0, 1)
    return ConvTransposeForm(
        weight=F.pad(weight, pads) if any(pads) else weight,
        bias=even_bias(kernel),
        stride=kernel.stride,
        padding=tuple(p + c for p, c in zip(padding, crop, strict=True)),
        output_padding=tuple(extra),
    )


def transposed_geometry(
    kernel: PhaseKernel,
) -> tuple[list[int], list[int], list[int], list[tuple[int, int]]]:
    """Return padding, output_padding, crop and zeros per axis with which a transposed convolution places h.

    `crop` pixels are taken off the end of the output, which torch's layers cannot do; `zeros` are taps of
    weight zero before and after the others, needed only where the offset is negative or the output goes on
    for a stride or more beyond the last tap.
    """
    padding, extra, crop, zeros = [], [], [], []
    for k, s, offset, margin in zip(
        kernel.kernel_size, kernel.stride, kernel.offset, kernel.margin, strict=True
    ):
        front = max(0, -offset)
        missing = margin + s - k + 2 * offset + front
        end = max(0, missing - (s - 1))
        padding.append(offset + front)
        zeros.append((front, end))
        extra.append(max(0, missing - end))
        crop.append(max(0, -missing))
    return padding, extra, crop, zeros


def to_pixel_shuffle(kernel: PhaseKernel) -> PixelShuffleForm:
    """Write the kernel as a convolution and a pixel shuffle, equal everywhere, borders too; always possible.

    Returns:
        weight, bias, factor, padding of the input and crop of the output.

    Cost: up to prod(s ceil(k / s) + s) / prod(k) times the weights, the rest being zeros.

    Example:
        >>> to_pixel_shuffle(PhaseKernel(torch.ones(1, 1, 4), stride=(2,))).weight.shape
        torch.Size([2, 1, 2])
    """
    padding, crop, taps, ends = [], [], [], []
    for axis, k in enumerate(kernel.kernel_size):
        s, offset, margin = kernel.stride[axis], kernel.offset[axis], kernel.margin[axis]
        # phase p at input i reads x[i - a] with weight h[s a + p + offset]
        last, first = (k - 1 - offset) // s, -((s - 1 + offset) // s)
        count = last - first + 1
        taps.append(count)
        rows = -(-margin // s)
        padding.append((last, count - 1 - last + rows))
        crop.append(s * rows - margin)
        start = s * first + offset
        ends.append((-start, start + s * count - k))
    h = F.pad(kernel.weight, flat_pads(ends))
    split = [n for t, s in zip(taps, kernel.stride, strict=True) for n in (t, s)]
    h = h.reshape(*h.shape[:2], *split)
    ndim = kernel.ndim
    order = [0, *(3 + 2 * a for a in range(ndim)), 1, *(2 + 2 * a for a in range(ndim))]
    weight = h.permute(order).flip(list(range(2 + ndim, 2 + 2 * ndim))).flatten(0, ndim)
    bias = None if kernel.bias is None else kernel.phase_bias().flatten()
    return PixelShuffleForm(weight, bias, kernel.stride, tuple(padding), tuple(crop))


def even_bias(kernel: PhaseKernel) -> Tensor | None:
    """Return the bias per channel, (out,).

    Raises:
        UncheckError: it differs from phase to phase by more than rounding (16 eps of its largest entry).

    Example:
        >>> even_bias(PhaseKernel(torch.ones(1, 1, 4), (2,), bias=torch.tensor([[3.0, 3.0]])))
        tensor([3.])
    """
    if kernel.bias is None or kernel.bias.ndim == 1:
        return kernel.bias
    flat = kernel.bias.flatten(1)
    mean = flat.mean(1)
    apart = float((flat - mean[:, None]).abs().max())
    if apart > 16 * torch.finfo(flat.dtype).eps * float(flat.abs().max()):
        raise UncheckError(
            f"the bias differs from phase to phase by up to {apart:.3g} from its mean, which this form "
            "cannot hold: use to_pixel_shuffle, or project the kernel first"
        )
    return mean


def pixel_shuffle(x: Tensor, factor: Sequence[int]) -> Tensor:
    """Move channels to pixels:  y[c, s i + p] = x[c s^n + p, i],  on one to three axes.

    Args:
        x: (batch, out * prod(factor), *size); the batch may be left out.
        factor: s per axis, >= 1; channels ordered as torch.nn.PixelShuffle.

    Returns:
        (batch, out, *(s * size)).

    Raises:
        UncheckError: the axes do not agree, or the channels are not divisible by prod(factor).

    Example:
        >>> pixel_shuffle(torch.tensor([[[1, 2], [3, 4]]]), (2,))
        tensor([[[1, 3, 2, 4]]])
    """
    n, phases = len(factor), math.prod(factor)
    first = x.ndim - n - 1
    if first not in (0, 1) or x.shape[first] % phases:
        raise UncheckError(
            f"a pixel shuffle by {tuple(factor)} cannot take an input of shape {tuple(x.shape)}"
        )
    if n == 2 and factor[0] == factor[1]:
        return F.pixel_shuffle(x, factor[0])
    lead, size = [*x.shape[:first], x.shape[first] // phases], x.shape[first + 1 :]
    order = [*range(first + 1), *(first + 1 + axis for a in range(n) for axis in (n + a, a))]
    split = x.reshape(*lead, *factor, *size).permute(order)
    return split.reshape(*lead, *(pixels * s for pixels, s in zip(size, factor, strict=True)))
