"""The two forms a fused resize-convolution is computed in: one transposed convolution, or all phases at once.

Both take the input already continued beyond its ends (`pad_input`), and give the same numbers up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.layers.algebra import Fusing
from uncheck.phases.axes import flat_pads


def input_pads(fusing: Fusing) -> list[tuple[list[int], str]]:
    """Return the calls of F.pad that continue the input, one per kind: (pads as F.pad takes them, mode)."""
    axes = list(zip(fusing.continuation, fusing.before, fusing.after, strict=True))
    calls = []
    for kind in dict.fromkeys(fusing.continuation):
        pads = flat_pads((before, after) if own == kind else (0, 0) for own, before, after in axes)
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
    """Return the arguments of the one transposed convolution."""
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


def cut_ends(y: Tensor, cut: Sequence[tuple[int, int]]) -> Tensor:
    """Cut pixels off the ends of each spatial axis."""
    for axis, (first, last) in enumerate(cut):
        if first > 0 or last > 0:
            y = y.narrow(2 + axis, first, y.shape[2 + axis] - first - last)
    return y


@dataclass(frozen=True)
class PhaseForm:
    """All phases as the channels of one convolution of stride 1:  y[s i + p] = z_p[i + shift_p].

    Attributes:
        rows: which tap of the fused kernel stands where, int64 (prod(s) * prod(taps),); -1 for none.
        factor: s per axis.
        taps: of each phase, per axis, ceil(fused taps / s).
        pads: zeros to add before and after each axis of the continued input, per axis (before, after).
        shifts: of each phase, per axis.
    """

    rows: Tensor
    factor: tuple[int, ...]
    taps: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    shifts: tuple[tuple[int, ...], ...]


def phase_form(fusing: Fusing) -> PhaseForm | None:
    """Return the phases of the fused kernel as one convolution; None where it would read beyond its input.

    With c the crop, phase p reads h at r = (c + p) mod s and the input q = (c + p) // s further on:
    y[s i + p] = sum_l h[s l + r] x'[i + q - l].
    """
    ndim = len(fusing.scale_factor)
    rows = torch.zeros([1] * (2 * ndim), dtype=torch.int64, device="cpu")
    taps, pads, shifts = [], [], []
    for axis, s in enumerate(fusing.scale_factor):
        crop, width = fusing.crop[axis], fusing.taps[axis]
        count = -(-width // s)
        lowest, highest = crop // s, (crop + s - 1) // s
        before = count - 1 - lowest
        after = -(-fusing.margin[axis] // s) + highest - fusing.before[axis] - fusing.after[axis]
        if before < 0:
            return None
        index = [[s * (count - 1 - t) + (crop + p) % s for t in range(count)] for p in range(s)]
        place = torch.tensor(index, device="cpu")
        place = place.masked_fill(place >= width, -1)
        shape = [1] * (2 * ndim)
        shape[axis], shape[ndim + axis] = s, count
        place = place.reshape(shape)
        rows = torch.where((rows < 0) | (place < 0), -1, rows * width + place)
        taps.append(count)
        pads.append((before, after))
        shifts.append(tuple((crop + p) // s - lowest for p in range(s)))
    return PhaseForm(rows.flatten(), fusing.scale_factor, tuple(taps), tuple(pads), tuple(shifts))


def phase_matrix(matrix: Tensor, form: PhaseForm) -> Tensor:
    """Return the map from the convolution's taps to those of all phases; `matrix` maps to the fused taps."""
    picked = matrix[form.rows.clamp(min=0)]
    picked[form.rows < 0] = 0
    return picked


def phase_weight(weight: Tensor, matrix: Tensor, form: PhaseForm) -> Tensor:
    """Return the weight of the convolution of all phases, (prod(s) * out, in, *taps), from (out, in, *k)."""
    out, inside = weight.shape[:2]
    phases = math.prod(form.factor)
    tall = (weight.reshape(out * inside, -1) @ matrix.T).reshape(out, inside, phases, -1)
    return tall.permute(2, 0, 1, 3).reshape(phases * out, inside, *form.taps)


def phase_weight_of_fused(fused: Tensor, form: PhaseForm) -> Tensor:
    """Return that weight, from the transposed convolution's (in, out, *fused taps)."""
    inside, out = fused.shape[:2]
    phases = math.prod(form.factor)
    flat = F.pad(fused.flatten(2), [0, 1])  # the last entry, -1, is a tap of weight zero
    picked = flat[:, :, form.rows].reshape(inside, out, phases, -1)
    return picked.permute(2, 1, 0, 3).reshape(phases * out, inside, *form.taps)
