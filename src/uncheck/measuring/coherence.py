"""A second test of a component: the agreement of windows of the picture on the phase of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from uncheck.measuring.components import Component, Lattice, Line
from uncheck.measuring.lines import hann, waves
from uncheck.measuring.support import Support
from uncheck.signals.levels import grey

#: Side of a window, pixels, at least; four periods of a line fit into one.
WINDOW = 16

#: Windows, counted without overlap, below which the question is not asked.
ENOUGH = 24

#: Lines of a component that are asked, strongest first.
LINES_ASKED = 4

#: p-value that the windows' agreement must stay below: a thousandth, for each of the thousand lines that the
#: harmonic test chose from. Lattices at the detection limit of that test stay below 1e-80 in photographs.
AGREE = 1e-6

#: Share of the weight of a window that must be measured.
MOSTLY = 7 / 8

#: Variance of a mean over Hann windows that overlap by half, against independent ones: neighbours along one
#: axis are correlated by 1/6.
OVERLAP = (1 + 2 / 6) ** 2


def confirmed(
    array: NDArray[np.float32], lattice: Lattice, support: Support | None = None, *, surely: bool = False
) -> Lattice:
    """Move components on whose phase the windows do not agree to the traces.

    Those of which there are too few windows to ask stay, unless they must `surely` agree.
    """
    p_values = dict(zip(lattice.present, coherences(array, lattice.present, support), strict=True))

    def agree(component: Component) -> bool:
        p_value = p_values[component]
        return not surely if p_value is None else p_value < AGREE

    return lattice.keeping(agree)


def coherence(
    array: NDArray[np.float32], component: Component, support: Support | None = None
) -> float | None:
    """Return the p-value of the windows agreeing by chance on the phase of the component's lines.

    With b_w the amplitude of a line in window w (Hann, half overlapping), u_w = b_w / |b_w| and n the number
    of independent windows, z^2 = n |mean u|^2 is exponential under uniform phases; erfc(z / sqrt 2) where
    the line is real. Channels are decorrelated first; the smallest p counts, times lines and channels asked.
    Busy windows weigh no more than quiet ones, so that one striped object cannot pass for a lattice of the
    whole picture, as it can in the harmonic test, whose noise estimate comes from a narrow band only.

    Args:
        array: (H, W, C) grey levels.
        component: one found in it.
        support: where it is measured: windows count that lie inside, but for an eighth of their weight.

    Returns:
        p in 0..1, or None where the picture holds fewer than 24 windows, or is not a picture.

    Cost: O(4 H W C) per line, 4 lines at most; memory two float32 copies of the picture for a moment.
    """
    return coherences(array, [component], support)[0]


def coherences(
    array: NDArray[np.float32], components: Sequence[Component], support: Support | None = None
) -> list[float | None]:
    """Return the `coherence` of several components; windows of one size are made for all of them together."""
    asked = [sorted(c.lines, key=lambda line: -line.amplitude)[:LINES_ASKED] for c in components]
    by_size: dict[int, list[tuple[int, Line]]] = {}
    if array.ndim == 3:
        for i, lines in enumerate(asked):
            for line in lines:
                by_size.setdefault(_window_size(line), []).append((i, line))
    sizes = [
        s for s in by_size if min(array.shape[:2]) >= s and prod(n / s for n in array.shape[:2]) >= ENOUGH
    ]
    smallest: list[float | None] = [None] * len(components)
    if not sizes:
        return smallest
    planes = np.array(np.moveaxis(array, -1, 0), order="C")  # a copy, whatever the layout of the array
    planes -= planes.mean(axis=(1, 2), keepdims=True)
    for size in sizes:
        known = None if support is None else inside(support, size).ravel()
        # Windows overlap by half: four for every one without.
        if known is not None and known.sum() < 4 * ENOUGH:
            continue
        several = local_amplitudes(planes, [line.frequency for _, line in by_size[size]], size)
        some_signed = any(components[i].signed for i, _ in by_size[size])
        signs = _sides(array, size, support)[:, None] if some_signed else 1
        for local, (i, line) in zip(several, by_size[size], strict=True):
            turned = local * signs if components[i].signed else local
            p = _phase_agreement(turned if known is None else turned[known], real=line.real)
            before = smallest[i]
            smallest[i] = p if before is None else min(p, before)
    return [None if p is None else min(1.0, p * len(own)) for p, own in zip(smallest, asked, strict=True)]


def _window_size(line: Line) -> int:
    """Return the side of the windows for a line, pixels."""
    frequency = float(np.linalg.norm([min(f, 1 - f) for f in line.frequency]))
    return WINDOW * ceil(4 / frequency / WINDOW)


def local_amplitudes(
    planes: NDArray[np.float32], frequencies: Sequence[tuple[float, ...]], size: int
) -> NDArray[np.complex128]:
    """Return the amplitude of each line in every window less what its mean leaves, (F, windows, C).

    Of planes (C, H, W) without their means; a line is that of exp(2 pi i f.n).
    """
    half = size // 2
    channels, down, across = len(planes), *(n // half for n in planes.shape[1:])
    first = sorted({f for f, _ in frequencies})
    down_turns, across_turns = waves(first, size), waves([g for _, g in frequencies], size)
    kernel = np.concatenate([hann(size)[None], down_turns.real, down_turns.imag]).astype(np.float32)
    index = [first.index(f) for f, _ in frequencies]
    # First and second halves of a window's columns side by side, of the mean and of each line.
    own = np.stack([across_turns.real, across_turns.imag], axis=1).astype(np.float32).reshape(-1, 2, 2, half)
    across_mean = hann(size).astype(np.float32).reshape(2, half)
    # Windows start at different phases of a line, and have some of their mean at it.
    starts = [np.arange(n - 1) * half for n in (down, across)]
    turned = [
        np.exp(-2j * np.pi * np.multiply.outer(f, s))
        for f, s in zip(zip(*frequencies, strict=True), starts, strict=True)
    ]
    leaks = down_turns.sum(axis=1)[index] * across_turns.sum(axis=1)
    out = np.empty((len(frequencies), down - 1, across - 1, channels), np.complex128)
    for channel, plane in enumerate(planes):
        blocks = plane[: down * half, : across * half].reshape(down, half, across * half)
        # A window is two blocks: the first half of the kernel meets one, the second half the next.
        rows = kernel[:, :half] @ blocks[:-1]
        rows += kernel[:, half:] @ blocks[1:]
        rows = np.ascontiguousarray(rows.transpose(1, 0, 2)).reshape(len(kernel), -1, half)
        means = _both_halves(rows[0] @ across_mean.T, down - 1)
        for line, at in enumerate(index):
            cosine, sine = (
                _both_halves(rows[i] @ own[line].reshape(-1, half).T, down - 1).reshape(down - 1, -1, 2)
                for i in (1 + at, 1 + len(first) + at)
            )
            value = cosine[..., 0] - sine[..., 1] + 1j * (cosine[..., 1] + sine[..., 0])
            phase = turned[0][line][:, None] * turned[1][line]
            out[line, ..., channel] = (value - means * leaks[line]) * phase
    return out.reshape(len(frequencies), -1, channels)


def _both_halves(sums: NDArray[np.float32], down: int) -> NDArray[np.float32]:
    """Add the sums of first halves to those of second ones of the next block; from (blocks, 2 or 2 x 2)."""
    split = sums.reshape(down, -1, *([2] * (sums.shape[1] // 2)))
    return np.asarray(split[:, :-1, ..., 0] + split[:, 1:, ..., 1])


def inside(support: Support, size: int) -> NDArray[np.bool_]:
    """Test which half-overlapping windows of `size` pixels are measured, (rows, columns)."""
    window = hann(size).astype(np.float32)
    weight = _contract(_contract(support.plane, window, size, 0), window, size, 1)
    return np.asarray(weight[..., 0] >= MOSTLY)


def _sides(array: NDArray[np.float32], size: int, support: Support | None) -> NDArray[np.float64]:
    """Return +1 where a window is brighter than the picture, -1 where it is darker, (windows,)."""
    brightness, window = grey(array), hann(size)
    means = _contract(_contract(brightness, window, size, 0), window, size, 1)
    middle = float(brightness.mean() if support is None else brightness[support.share > 0].mean())
    return np.asarray(np.sign(means - middle).ravel(), np.float64)


def _contract(data: NDArray[Any], weights: NDArray[Any], size: int, axis: int) -> NDArray[Any]:
    """Sum half-overlapping windows of `size`, weighted, along one axis; each is two half windows."""
    half = size // 2
    moved = np.moveaxis(data, axis, 0)
    count = len(moved) // half
    blocks = moved[: count * half].reshape(count, half, -1)
    both = weights.reshape(2, half)
    if np.iscomplexobj(both) and not np.iscomplexobj(blocks):
        parts = both.real.astype(np.float32) @ blocks + 1j * (both.imag.astype(np.float32) @ blocks)
    else:
        parts = both.astype(np.result_type(both, blocks)) @ blocks
    out = parts[:-1, 0] + parts[1:, 1]
    return np.asarray(np.moveaxis(out.reshape(len(out), *moved.shape[1:]), 0, axis))


def _phase_agreement(local: NDArray[np.complex128], *, real: bool) -> float:
    power = (local.conj().T @ local) / len(local)
    values, vectors = np.linalg.eigh(power)
    # Channels that hold nothing of their own have no phase.
    useful = values > max(1e-9 * float(values[-1]), 1e-12)
    turned = local @ vectors[:, useful]
    if real:
        # Of a real line the phase is a sign.
        turned = turned.real
    unit = turned / np.maximum(np.abs(turned), 1e-30)
    z2 = len(local) / OVERLAP * np.abs(unit.mean(axis=0)) ** 2
    each = erfc(np.sqrt(z2 / 2)) if real else np.exp(-z2)
    return float(min(1.0, each.min(initial=1.0) * max(1, len(each))))
