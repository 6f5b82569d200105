"""What a student is trained towards: the spun network on cut-outs, or the network's own cleaned output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import torch
from torch import Tensor

from uncheck.fixing.case import Case, Inputs
from uncheck.fixing.crops import cut

#: Contrast that a target is given back per octave, at most, and up to which radial frequency.
MOST_GAIN, UP_TO = 1.5, 0.25

#: Frequencies nearer to a lattice line than this are the lattice's, cycles per pixel.
NEAR = 1 / 32

#: Pixels at each end of a cut-out that are no target: what lies outside would have changed them.
EDGE = 16


@dataclass(frozen=True, eq=False)
class Lesson:
    """One input, where in its output the target lies (start per axis), and the target (N, C, *size)."""

    inputs: Inputs
    start: tuple[int, ...]
    target: Tensor


def spun_lessons(
    case: Case, call: Inputs, place: Sequence[int], size: Sequence[int], period: int, shown: int, seed: int
) -> tuple[list[Lesson], Tensor]:
    """Cycle-spin one cut-out:  T = mean over t in 0..P-1 per axis of N(x[place - t ...])[t ...].

    Every shift sees real neighbours, so that no border is made up.

    Args:
        case: the network and its view.
        call: inputs to cut from.
        place: of the cut-outs in the input, at least P - 1 from each start.
        size: of the cut-outs the network runs on; the target is P and twice EDGE smaller.
        period: P.
        shown: how many of the shifts become lessons, the one with t = 0 among them.
        seed: of the choice.

    Returns:
        The lessons, all with the same target; and the unspun output at t = 0, where the target lies.

    Cost: P^n runs of the network.
    """
    shifts = list(product(range(period), repeat=len(place)))
    order = np.random.default_rng(seed).permutation(len(shifts) - 1)[: max(0, shown - 1)] + 1
    chosen = {0, *order.tolist()}
    edges = [min(EDGE, n // 8) for n in size]
    inner = [n - period - 2 * edge for n, edge in zip(size, edges, strict=True)]
    total, plain = torch.zeros(()), []
    lessons: list[tuple[Inputs, tuple[int, ...]]] = []
    for index, shift in enumerate(shifts):
        inputs = cut(call, [p - t for p, t in zip(place, shift, strict=True)], size)
        start = tuple(t + edge for t, edge in zip(shift, edges, strict=True))
        window = part(case.run(case.model, inputs).float(), start, inner)
        if index == 0:
            plain.append(window)
        total = total + window
        if index in chosen:
            lessons.append((inputs, start))
    target = total / len(shifts)
    return [Lesson(inputs, start, target) for inputs, start in lessons], plain[0]


def cleaned_lessons(case: Case, calls: Sequence[Inputs], period: int) -> list[Lesson]:
    """Each call's own output less the lattice that all outputs share.

    The ripple is the mean of the outputs per phase, less the mean over phases: what content leaves in it
    falls with the number of outputs.
    """
    outputs = [case.run(case.model, call).float() for call in calls]
    ndim = case.ndim
    ripples = [ripple(out, period, ndim) for out in outputs]
    common = torch.stack([r.mean(0) for r in ripples]).mean(0)
    return [
        Lesson(call, (0,) * ndim, out - tiled(common, out.shape[2:]))
        for call, out in zip(calls, outputs, strict=True)
    ]


def ripple(picture: Tensor, period: int, ndim: int) -> Tensor:
    """Mean per phase less the mean over phases, (N, C, *(P,) * ndim); whole periods count."""
    whole = [n // period * period for n in picture.shape[2:]]
    x = part(picture, (0,) * ndim, whole)
    split = [n for w in whole for n in (w // period, period)]
    means = x.reshape(*x.shape[:2], *split).mean(dim=[2 + 2 * axis for axis in range(ndim)])
    return means - means.mean(dim=list(range(2, 2 + ndim)), keepdim=True)


def tiled(values: Tensor, size: Sequence[int]) -> Tensor:
    """(C, *size) of (C, *period), repeated."""
    for axis, n in enumerate(size, start=1):
        values = values.index_select(axis, torch.arange(n) % values.shape[axis])
    return values


def part(picture: Tensor, start: Sequence[int], size: Sequence[int]) -> Tensor:
    """A cut-out of the last axes."""
    for axis, (begin, n) in enumerate(zip(start, size, strict=True), start=picture.dim() - len(size)):
        picture = picture.narrow(axis, begin, n)
    return picture


def contrast_gains(plain: Sequence[Tensor], spun: Sequence[Tensor], period: int) -> list[tuple[float, float]]:
    """Contrast that spinning takes per octave of radial frequency, off the lattice lines.

    Spinning averages what the network draws differently at every shift, so that its mean is a little flat.
    gain = sqrt(E_plain / E_spun), within 1..MOST_GAIN, for octaves up to UP_TO; beyond, the plain output is
    mostly lattice, carried to other frequencies by the content, and is not to come back.

    Returns:
        (middle of the octave, gain), ascending.
    """
    shape = spun[0].shape[2:]
    radius, off = _grid(shape, period)
    before, after = (torch.stack([_power(x) for x in xs]).sum(0) for xs in (plain, spun))
    edges = [0.0, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4]
    out = []
    for low, high in pairwise(edges):
        band = off & (radius > low) & (radius <= high)
        if high > UP_TO or not bool(band.any()):
            continue
        gain = float((before[band].sum() / after[band].sum().clamp_min(1e-30)).sqrt())
        out.append(((low * high) ** 0.5 or high / 2, min(MOST_GAIN, max(1.0, gain))))
    return out


def with_contrast(picture: Tensor, gains: Sequence[tuple[float, float]]) -> Tensor:
    """Apply gains per radial frequency, interpolated over its logarithm, 1 beyond the last octave."""
    if not gains:
        return picture
    axes = tuple(range(2, picture.dim()))
    radius, _ = _grid(picture.shape[2:], 1)
    middles = [*(f for f, _ in gains), 2 * gains[-1][0]]
    values = [*(g for _, g in gains), 1.0]
    gain = np.interp(np.log(radius.clamp_min(1e-4).numpy()), np.log(middles), values)
    spectrum = torch.fft.fftn(picture, dim=axes) * torch.from_numpy(gain).to(picture.dtype)
    out: Tensor = torch.fft.ifftn(spectrum, dim=axes).real
    return out


def _power(x: Tensor) -> Tensor:
    """Power spectrum under Hann's window, the mean removed, summed over samples and channels."""
    axes = tuple(range(2, x.dim()))
    x = x - x.mean(dim=axes, keepdim=True)
    for axis in axes:
        n = x.shape[axis]
        window = torch.sin(torch.pi * (torch.arange(n) + 0.5) / n) ** 2
        x = x * window.reshape([-1 if a == axis else 1 for a in range(x.dim())])
    power: Tensor = torch.fft.fftn(x, dim=axes).abs().square().sum((0, 1))
    return power


def _grid(shape: Sequence[int], period: int) -> tuple[Tensor, Tensor]:
    """Radial frequency, and where no lattice line is near (the line at zero does not count)."""
    frequencies = [torch.fft.fftfreq(n) for n in shape]
    mesh = torch.meshgrid(*frequencies, indexing="ij")
    radius = torch.stack(mesh).square().sum(0).sqrt()
    away = torch.zeros(radius.shape, dtype=torch.bool)
    centre = torch.ones(radius.shape, dtype=torch.bool)
    for f in mesh:
        nearest = (f * period).round() / period
        away |= (f - nearest).abs() > NEAR
        centre &= nearest == 0
    return radius, away | centre
