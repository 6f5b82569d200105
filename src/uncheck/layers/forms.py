"""The two forms a fused resize-convolution is computed in: one transposed convolution, or all phases at once.

Both take the input already continued beyond its ends (`pad_input`), and give the same numbers up to rounding.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.layers.algebra import Fusing, fuse_matrix

STRIP_BYTES = 8_000_000
"""Size of the phases computed at a time: they and the pages they lie on stay in the cache."""


def conv(x: Tensor, weight: Tensor, bias: Tensor | None, dilation: list[int], groups: int) -> Tensor:
    """Apply torch's convolution of 1, 2 or 3 axes, stride 1, no padding."""
    if len(dilation) == 1:
        return F.conv1d(x, weight, bias, dilation=dilation, groups=groups)
    if len(dilation) == 2:
        return F.conv2d(x, weight, bias, dilation=dilation, groups=groups)
    return F.conv3d(x, weight, bias, dilation=dilation, groups=groups)


def conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    output_padding: list[int],
    groups: int,
) -> Tensor:
    """Apply torch's transposed convolution of 1, 2 or 3 axes."""
    if len(stride) == 1:
        return F.conv_transpose1d(x, weight, bias, stride, padding, output_padding, groups)
    if len(stride) == 2:
        return F.conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups)
    return F.conv_transpose3d(x, weight, bias, stride, padding, output_padding, groups)


def input_pads(fusing: Fusing) -> list[tuple[list[int], str]]:
    """Give the calls of F.pad that continue the input, one per kind: (pads as F.pad takes them, mode)."""
    ndim = len(fusing.scale_factor)
    calls = []
    for kind in dict.fromkeys(fusing.continuation):
        pads = [0] * (2 * ndim)
        for axis in range(ndim):
            if fusing.continuation[axis] == kind:
                place = 2 * (ndim - 1 - axis)
                pads[place], pads[place + 1] = fusing.before[axis], fusing.after[axis]
        if any(pads):
            calls.append((pads, kind))
    return calls


def pad_input(x: Tensor, calls: list[tuple[list[int], str]]) -> Tensor:
    """Continue the input beyond its ends, as `input_pads` says."""
    for pads, kind in calls:
        x = F.pad(x, pads, kind)
    return x


@dataclass(frozen=True)
class TransposedForm:
    """Arguments of the transposed convolution, and what is left to cut off its output, per axis.

    F.conv_transpose crops both ends alike, but for an output_padding below the stride; `cut` is the rest.
    """

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]
    cut: tuple[tuple[int, int], ...]


def transposed_form(fusing: Fusing) -> TransposedForm:
    """Give the arguments of the one transposed convolution."""
    padding, extra, cut = [], [], []
    for axis, s in enumerate(fusing.scale_factor):
        first = fusing.crop[axis]
        continued = fusing.before[axis] + fusing.after[axis]
        last = s * continued - s + fusing.taps[axis] - first - fusing.margin[axis]
        even = min(first, last)
        # cropping `first` at both ends and giving back first - last at the end
        back = first - last if 0 <= first - last < s else 0
        padding.append(even + back)
        extra.append(back)
        cut.append((first - even - back, last - even))
    return TransposedForm(fusing.scale_factor, tuple(padding), tuple(extra), tuple(cut))


def cut_ends(y: Tensor, cut: list[tuple[int, int]]) -> Tensor:
    """Cut pixels off the ends of each spatial axis."""
    for axis, (first, last) in enumerate(cut):
        if first > 0 or last > 0:
            y = y.narrow(2 + axis, first, y.shape[2 + axis] - first - last)
    return y


@dataclass(frozen=True)
class PhaseForm:
    """All phases as the channels of one convolution of stride 1:  y[s i + p] = z_p[i + shift_p].

    Attributes:
        matrix: from the convolution's taps to (prod(s) * prod(taps)), float64.
        factor: s per axis.
        taps: of each phase, per axis, ceil(fused taps / s).
        pads: zeros to add before and after each axis of the continued input, per axis (before, after).
        shifts: of each phase, per axis.
        margin: output size = s * size + margin, of the input before it was continued.

    """

    matrix: Tensor
    factor: tuple[int, ...]
    taps: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    shifts: tuple[tuple[int, ...], ...]
    margin: tuple[int, ...]


def phase_form(
    fusing: Fusing, kernel_size: Sequence[int], mode: str, dilation: Sequence[int]
) -> PhaseForm | None:
    """Give the phases of the fused kernel as one convolution; None where it would read beyond its input.

    With c the crop, phase p reads h at r = (c + p) mod s and the input q = (c + p) // s further on:
    y[s i + p] = sum_l h[s l + r] x'[i + q - l].
    """
    ndim = len(fusing.scale_factor)
    rows = torch.arange(math.prod(fusing.taps)).reshape(fusing.taps)
    taps, pads, shifts = [], [], []
    for axis, s in enumerate(fusing.scale_factor):
        count = -(-fusing.taps[axis] // s)
        lowest, highest = fusing.crop[axis] // s, (fusing.crop[axis] + s - 1) // s
        before = count - 1 - lowest
        after = -(-fusing.margin[axis] // s) + highest - fusing.before[axis] - fusing.after[axis]
        if before < 0:
            return None
        index = torch.tensor(
            [[s * (count - 1 - t) + (fusing.crop[axis] + p) % s for t in range(count)] for p in range(s)]
        )
        beyond = index >= fusing.taps[axis]
        picked = rows.index_select(2 * axis, index.flatten().masked_fill(beyond.flatten(), 0))
        shape = [*picked.shape[: 2 * axis], s, count, *picked.shape[2 * axis + 1 :]]
        hole = beyond.reshape(
            [s if n == 2 * axis else count if n == 2 * axis + 1 else 1 for n in range(len(shape))]
        )
        rows = picked.reshape(shape).masked_fill(hole, -1)
        taps.append(count)
        pads.append((before, after))
        shifts.append(tuple((fusing.crop[axis] + p) // s - lowest for p in range(s)))
    rows = rows.permute([2 * a for a in range(ndim)] + [2 * a + 1 for a in range(ndim)]).flatten()
    matrix = fuse_matrix(kernel_size, fusing.scale_factor, mode, dilation)[rows.clamp(min=0)]
    matrix[rows < 0] = 0
    return PhaseForm(matrix, fusing.scale_factor, tuple(taps), tuple(pads), tuple(shifts), fusing.margin)


def phase_weight(weight: Tensor, matrix: Tensor, form: PhaseForm) -> Tensor:
    """Give the weight of the convolution of all phases, (prod(s) * out, in, *taps)."""
    out, inside = weight.shape[:2]
    phases = math.prod(form.factor)
    tall = (weight.reshape(out * inside, -1) @ matrix.T).reshape(out, inside, phases, -1)
    return tall.permute(2, 0, 1, 3).reshape(phases * out, inside, *form.taps)
