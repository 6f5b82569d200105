"""The lattice of a batch of outputs: what all share, and what single ones have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring import Component, Line, find_lattice
from uncheck.measuring.lattice import SIGNIFICANCE, VISIBLE

#: Outputs of a batch looked at one by one, beside their mean.
SINGLES = 4

#: Share of each side kept out of the measurement, because borders are not lattice.
MARGIN = 1 / 16


@dataclass(frozen=True)
class Found:
    """One component and the observation that shows it most: -1 the mean of the batch, else an index."""

    component: Component
    observation: int


def observations(batch: NDArray[np.float32]) -> dict[int, NDArray[np.float32]]:
    """The arrays (*spatial, C) a batch (N, *spatial, C) is judged by, without borders.

    The lattice of a network stands at the same place in all its outputs, their contents do not: the mean over
    the batch shows it best. A few outputs are judged by themselves as well, for what is not shared.
    """
    cut = interior(batch)
    if len(cut) == 1:
        return {0: cut[0]}
    return {-1: cut.mean(axis=0), **{i: cut[i] for i in range(min(len(cut), SINGLES))}}


def interior(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """The batch without a sixteenth of each spatial axis at either end."""
    index = [slice(None)] * batch.ndim
    for axis in range(1, batch.ndim - 1):
        skip = int(batch.shape[axis] * MARGIN)
        index[axis] = slice(skip, batch.shape[axis] - skip)
    return batch[tuple(index)]


def batch_lattice(
    batch: NDArray[np.float32], periods: Iterable[int], threshold: float = VISIBLE
) -> tuple[tuple[Found, ...], tuple[Found, ...]]:
    """Components present and traces of a batch, strongest first; p-values corrected for the observations.

    Args:
        batch: (N, *spatial, C) grey levels.
        periods: to test, pixels.
        threshold: grey levels.
    """
    periods = tuple(periods)
    views = observations(batch)
    best: dict[int, Found] = {}
    for index, view in views.items():
        if max(view.shape[:-1]) < 4:
            continue
        lattice = find_lattice(
            view, periods=periods, threshold=threshold, significance=SIGNIFICANCE / len(views)
        )
        for component in (*lattice.present, *lattice.traces):
            key = int(np.lcm.reduce(component.period))
            component = replace(component, p_value=min(1.0, component.p_value * len(views)))
            if key not in best or component.amplitude > best[key].component.amplitude:
                best[key] = Found(component, index)
    ranked = sorted(best.values(), key=lambda f: -f.component.amplitude)
    present = tuple(f for f in ranked if f.component.amplitude >= threshold)
    return present, tuple(f for f in ranked if f.component.amplitude < threshold)


def amplitude_of(batch: NDArray[np.float32], found: Found) -> float:
    """Amplitude that a known component's lines have in another batch of the same shape, grey levels.

    Cost: one pass over the observation per line, with a Hann window per axis against leakage.
    """
    view = observations(batch)[found.observation]
    windows = [_hann(n) for n in view.shape[:-1]]
    total = np.zeros(view.shape[-1])
    centred = view - view.mean(axis=tuple(range(view.ndim - 1)))
    for line in found.component.lines:
        total += np.abs(_demodulate(centred, line, windows)) ** 2 * (1 if line.real else 4)
    return float(np.sqrt(total.max()))


def _hann(n: int) -> NDArray[np.float64]:
    window: NDArray[np.float64] = np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2
    return np.asarray(window / window.sum(), np.float64)


def _demodulate(
    view: NDArray[np.float32], line: Line, windows: list[NDArray[np.float64]]
) -> NDArray[np.complex128]:
    out: NDArray[np.complex128] = view.astype(np.complex128)
    for f, window in zip(line.frequency, windows, strict=True):
        out = np.tensordot(window * np.exp(-2j * np.pi * f * np.arange(len(window))), out, axes=(0, 0))
    return out
