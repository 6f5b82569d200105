"""Complex amplitudes at given frequencies, for the checks of the rivals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.lattice import Component, Line


def line_means(array: NDArray[np.float32], lines: Sequence[Line]) -> NDArray[np.complex128]:
    """Mean of `array` times exp(-2 pi i f.n) under a Hann window: what a line at f has as `mean`.

    Args:
        array: (H, W, C) grey levels.
        lines: F lines, of which only the frequencies are used.

    Returns:
        (F, C).

    Cost: one pass over the array per different vertical frequency.
    """
    rows, columns, channels = array.shape
    down, across = np.hanning(rows + 2)[1:-1], np.hanning(columns + 2)[1:-1]
    flat = array.reshape(rows, -1)
    # Row frequencies repeat: harmonics of 8 have at most eight different ones.
    first = sorted({line.frequency[0] for line in lines})
    waves = np.exp(-2j * np.pi * np.outer(first, np.arange(rows))) * down
    turned = (waves.real.astype(np.float32) @ flat) + 1j * (waves.imag.astype(np.float32) @ flat)
    turned = turned.reshape(len(first), columns, channels)
    out = np.empty((len(lines), channels), np.complex128)
    for i, line in enumerate(lines):
        wave = np.exp(-2j * np.pi * line.frequency[1] * np.arange(columns)) * across
        out[i] = wave @ turned[first.index(line.frequency[0])]
    out /= down.sum() * across.sum()
    return out


def strength_at(array: NDArray[np.float32], component: Component) -> float:
    """Root of the summed squared amplitudes of `array` at the lines of `component`, in its best channel."""
    scale = np.array([1.0 if line.real else 2.0 for line in component.lines])
    amplitudes = np.abs(line_means(array, component.lines)) * scale[:, None]
    return float(np.sqrt((amplitudes**2).sum(axis=0)).max())
