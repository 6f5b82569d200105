"""A second test of a component: the agreement of windows of the picture on the phase of its lines."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from uncheck.measuring.components import Component, Lattice
from uncheck.measuring.lines import hann, waves
from uncheck.measuring.support import Support

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


def confirmed(array: NDArray[np.float32], lattice: Lattice, support: Support | None = None) -> Lattice:
    """Move components on whose phase the windows do not agree to the traces."""

    def agree(component: Component) -> bool:
        p_value = coherence(array, component, support)
        return p_value is None or p_value < AGREE

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

    Cost: O(4 H W C) per line, 8 lines at most; memory four float32 copies of the picture for a moment.
    """
    if array.ndim != 3:
        return None
    asked = sorted(component.lines, key=lambda line: -line.amplitude)[:LINES_ASKED]
    smallest: float | None = None
    for line in asked:
        f = np.array([min(x, 1 - x) for x in line.frequency])
        size = WINDOW * ceil(4 / float(np.hypot(*f)) / WINDOW)
        if min(array.shape[:2]) < size or np.prod([n / size for n in array.shape[:2]]) < ENOUGH:
            continue
        local = _local(array, line.frequency, size)
        if component.signed:
            local = local * _sides(array, size, support)[:, None]
        if support is not None:
            local = local[inside(support, size).ravel()]
            # Windows overlap by half: four for every one without.
            if len(local) < 4 * ENOUGH:
                continue
        p = _phase_agreement(local, real=line.real)
        smallest = p if smallest is None else min(smallest, p)
    return None if smallest is None else min(1.0, smallest * len(asked))


def _local(array: NDArray[np.float32], frequency: tuple[float, ...], size: int) -> NDArray[np.complex128]:
    """Return the amplitude of exp(2 pi i f.n) in every window less what its mean leaves, (windows, C)."""
    window, turns = hann(size), [waves(f, size) for f in frequency]
    line, mean = (
        _contract(_contract(array, rows, size, 0), columns, size, 1)
        for rows, columns in (turns, (window, window))
    )
    line = line - mean * (turns[0].sum() * turns[1].sum())
    # Windows start at different phases of the line.
    starts = [np.arange(n) * (size // 2) for n in line.shape[:2]]
    phase = np.exp(-2j * np.pi * (frequency[0] * starts[0][:, None] + frequency[1] * starts[1][None, :]))
    return np.asarray((line * phase[..., None]).reshape(-1, array.shape[-1]))


def inside(support: Support, size: int) -> NDArray[np.bool_]:
    """Test which half-overlapping windows of `size` pixels are measured, (rows, columns)."""
    window = hann(size).astype(np.float32)
    weight = _contract(_contract(support.plane, window, size, 0), window, size, 1)
    return np.asarray(weight[..., 0] >= MOSTLY)


def _sides(array: NDArray[np.float32], size: int, support: Support | None) -> NDArray[np.float64]:
    """Return +1 where a window is brighter than the picture, -1 where it is darker, (windows,)."""
    brightness, window = array.mean(axis=-1), hann(size)
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
