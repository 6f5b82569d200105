"""The targets of a student: the spun network on cut-outs, or the network's own cleaned output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.measuring.lines import hann
from uncheck.phases.kernel import tile_phases
from uncheck.reading import Inputs
from uncheck.repairing.case import Case
from uncheck.repairing.inputs import cut, part

#: Contrast that a target is given back per octave, at most, and up to which radial frequency.
MOST_GAIN, UP_TO = 1.5, 0.25

#: Frequencies nearer to a lattice line than this are the lattice's, cycles per pixel.
NEAR = 1 / 32

#: Half-width of the notch around each line in a cleaned output, cycles per pixel.
WIDTH = 1 / 96

#: Pixels at each end of a cut-out that are no target: pixels outside would have changed them.
EDGE = 16


@dataclass(frozen=True, eq=False)
class Lesson:
    """One input, where in its output the target lies (start per axis), and the target (N, C, *size).

    `weights` (N,) are those of the samples in their common ripple; None for all alike.
    """

    inputs: Inputs
    start: tuple[int, ...]
    target: Tensor
    weights: Tensor | None = None


def spun_lessons(
    case: Case, call: Inputs, place: Sequence[int], size: Sequence[int], period: int, shown: int, seed: int
) -> tuple[list[Lesson], Tensor]:
    """Cycle-spin one cut-out:  T = mean over t in 0..P-1 per axis of N(x[place - t ...])[t ...].

    Every shift sees real neighbours, so that no border is made up. The cut-outs begin at `place` in the
    input, at least P - 1 from each start. The network runs on `size` pixels; the target is P and twice EDGE
    smaller. `shown` of the shifts, drawn by `seed`, become lessons, the one with t = 0 among them.

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
    """Return each call's own output less its lattice: the target of networks that cannot be spun.

    For maps, every output is cleaned by itself, locally (`notched`): networks that enlarge leave little of
    their own at the lattice's frequencies. For codes, the shared ripple is taken out: the mean of their
    ripples, weighted by `quietness`.
    """
    outputs = [case.run(case.model, call).float() for call in calls]
    ndim = case.ndim
    if case.scale is not None:
        edges = [min(2 * EDGE, n // 6) for n in outputs[0].shape[2:]]
        inner = [n - 2 * edge for n, edge in zip(outputs[0].shape[2:], edges, strict=True)]
        cleaned = [part(notched(out, period), edges, inner) for out in outputs]
        return [Lesson(call, tuple(edges), out) for call, out in zip(calls, cleaned, strict=True)]
    weights = quietness(torch.cat(outputs))
    common = shared(torch.cat([ripple(out, period, ndim) for out in outputs]), weights)
    cleaned = [out - tile_phases(common, out.shape[2:]) for out in outputs]
    parts = torch.split(weights, [len(out) for out in outputs])
    return [Lesson(call, (0,) * ndim, *each) for call, *each in zip(calls, cleaned, parts, strict=True)]


def quietness(picture: Tensor) -> Tensor:
    """Return the weight of each sample (N,) in their common ripple: 1 / power of its detail, mean 1.

    Busy samples add more content than lattice to a common mean.
    """
    steps = [x.square().flatten(1).mean(1) for x in (picture.diff(dim=a) for a in range(2, picture.dim()))]
    power = torch.stack(steps).sum(0)
    weights = 1 / (power + 1e-3 * power.mean() + 1e-12)
    return weights / weights.mean()


def shared(ripples: Tensor, weights: Tensor | None) -> Tensor:
    """Return the ripple that all samples share, (C, *period): the weighted mean."""
    if weights is None:
        return ripples.mean(0)
    shape = (-1, *[1] * (ripples.dim() - 1))
    return (ripples * weights.reshape(shape)).sum(0) / weights.sum()


def ripple(picture: Tensor, period: int, ndim: int) -> Tensor:
    """Return the mean per phase of the detail, less the mean over phases, (N, C, *(P,) * ndim).

    The detail is the picture less its mean under a triangle of 2 P - 1 pixels per axis, whose response is
    zero at every lattice frequency: a slope or a smooth shape of the content, whose phase means differ by
    chance of where it ends, has no detail. Hann's window keeps the ends out.
    """
    inner = [n - 2 * period for n in picture.shape[2:]]
    smooth = part(_under_triangle(picture, period), (1,) * ndim, inner)
    detail = part(picture, (period,) * ndim, inner) - smooth
    whole = [n // period * period for n in detail.shape[2:]]
    detail = part(detail, (0,) * ndim, whole)
    for axis, n in enumerate(whole, start=2):
        window = torch.tensor(hann(n)).to(detail.dtype)
        shape = [-1 if a == axis else 1 for a in range(detail.dim())]
        detail = detail * (window / window.mean()).reshape(shape)
    split = [n for w in whole for n in (w // period, period)]
    means = detail.reshape(*detail.shape[:2], *split).mean(dim=[2 + 2 * axis for axis in range(ndim)])
    return means - means.mean(dim=list(range(2, 2 + ndim)), keepdim=True)


def _under_triangle(x: Tensor, period: int) -> Tensor:
    """Return the mean under hold * hold per axis; 2 P - 2 pixels shorter."""
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[x.dim() - 3]
    return pool(pool(x, period, 1), period, 1)


def notched(picture: Tensor, period: int) -> Tensor:
    """Remove the frequencies within about WIDTH cycles per pixel of the lattice lines but zero.

    y - sum over lines w of  exp(i w n) G(exp(-i w n) y)  with G a Gaussian of deviation WIDTH in frequency;
    the picture is continued by reflection, so that lattice stays within 2 EDGE pixels of its ends.
    """
    axes = tuple(range(2, picture.dim()))
    wide = picture
    for axis in axes:
        wide = torch.cat([wide, wide.flip(axis)], axis)
    gain = torch.ones(())
    lines = torch.zeros(())
    for axis in axes:
        f = torch.fft.fftfreq(wide.shape[axis])
        shape = [-1 if a == axis else 1 for a in range(wide.dim())]
        away = (f - (f * period).round() / period) / WIDTH
        gain = gain * torch.exp(-0.5 * away.square()).reshape(shape)
        lines = lines + ((f * period).round() != 0).to(f.dtype).reshape(shape)
    kept = 1 - gain * (lines > 0)
    cleaned: Tensor = torch.fft.ifftn(torch.fft.fftn(wide, dim=axes) * kept, dim=axes).real
    return part(cleaned, (0,) * len(axes), picture.shape[2:])


def contrast_gains(plain: Sequence[Tensor], spun: Sequence[Tensor], period: int) -> list[tuple[float, float]]:
    """Return the contrast that spinning takes per octave of radial frequency, off the lattice lines.

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
    """Apply gains per radial frequency, interpolated over its logarithm; 1 for the mean and the finest."""
    if not gains:
        return picture
    axes = tuple(range(2, picture.dim()))
    radius, _ = _grid(picture.shape[2:], 1)
    middles = [*(f for f, _ in gains), 2 * gains[-1][0]]
    values = [*(g for _, g in gains), 1.0]
    gain = np.interp(np.log(radius.clamp_min(1e-4).numpy()), np.log(middles), values)
    gain[(0,) * len(axes)] = 1.0  # the mean is no contrast
    spectrum = torch.fft.fftn(picture, dim=axes) * torch.from_numpy(gain).to(picture.dtype)
    out: Tensor = torch.fft.ifftn(spectrum, dim=axes).real
    return out


def _power(x: Tensor) -> Tensor:
    """Return the power spectrum under Hann's window, the mean removed, summed over samples and channels."""
    axes = tuple(range(2, x.dim()))
    x = x - x.mean(dim=axes, keepdim=True)
    for axis in axes:
        n = x.shape[axis]
        x = x * torch.tensor(hann(n)).to(x.dtype).reshape([-1 if a == axis else 1 for a in range(x.dim())])
    power: Tensor = torch.fft.fftn(x, dim=axes).abs().square().sum((0, 1))
    return power


def _grid(shape: Sequence[int], period: int) -> tuple[Tensor, Tensor]:
    """Return the radial frequency, and where no lattice line is near (the line at zero does not count)."""
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
