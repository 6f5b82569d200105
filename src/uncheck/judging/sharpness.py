"""The change of detail by a repair: spectral energy off the lattice lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.lines import hann

#: Half-width of the gap around each lattice line, cycles per pixel and axis.
HALF_WIDTH = 1 / 32

#: Edges of the octaves of radial frequency, cycles per pixel; the last goes on to the corners.
OCTAVES = (0.0, 1 / 32, 1 / 16, 1 / 8, 1 / 4)


def energies(pictures: NDArray[np.float32], periods: Sequence[int]) -> NDArray[np.float64]:
    """Return the spectral energy off the lattice lines, per octave of OCTAVES.

    Equation: E_o = sum over f in octave o, off all a/P, of |FFT(w (x - mean))(f)|^2, w Hann's window per
    axis; "off" is further than max(1/32, 2/n), but at most 1/(4 P), from every (a/P, b/P) but (0, 0) along
    some axis; n is its length.

    Args:
        pictures: (N, *spatial, C) grey levels.
        periods: of the lattice, pixels.

    Returns:
        (octaves,), summed over pictures and channels.

    Cost: one FFT per picture and channel.
    """
    shape = pictures.shape[1:-1]
    octave = _octaves(shape)
    octave[on_lines(shape, tuple(periods))] = len(OCTAVES)
    window, axes = hann_window(shape), tuple(range(len(shape)))
    total = np.zeros(len(OCTAVES) + 1)
    for picture in pictures:
        values = picture.astype(np.float64)
        # the weighted mean, so that nothing of it is left behind the window
        values = values - (values * window).sum(axis=axes)
        power = (np.abs(np.fft.fftn(values * window, axes=axes)) ** 2).sum(axis=-1)
        total += np.bincount(octave.ravel(), power.ravel(), minlength=len(total))
    return total[:-1]


def hann_window(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return Hann's window over some axes, (*shape, 1), of sum 1."""
    return np.asarray(reduce(np.multiply.outer, map(hann, shape)))[..., None]


def change(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return after / before - 1 of the sums; 0 where there was nothing."""
    whole = float(before.sum())
    return float(after.sum()) / whole - 1 if whole > 0 else 0.0


def band_changes(
    before: NDArray[np.float64], after: NDArray[np.float64], ndim: int
) -> tuple[tuple[float, float, float], ...]:
    """Return (lowest, highest, change) of each octave; those without energy are left out."""
    edges = (*OCTAVES, 0.5 * ndim**0.5)
    return tuple(
        (low, high, float(b / a - 1))
        for low, high, a, b in zip(edges, edges[1:], before, after, strict=False)
        if a > 0
    )


def on_lines(shape: tuple[int, ...], periods: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which cells of an FFT of this shape lie on a lattice line, the mean's own excepted."""
    out = np.zeros(shape, np.bool_)
    for period in periods:
        near = np.ones(shape, np.bool_)
        zero = np.ones(shape, np.bool_)
        for f, n in zip(_frequencies(shape), shape, strict=True):
            # the main lobe of the window is 2 / n wide to either side
            half = min(max(HALF_WIDTH, 2 / n), 1 / (4 * period))
            near &= np.abs(f - np.round(f * period) / period) <= half
            zero &= np.abs(f) <= half
        out |= near & ~zero
    return out


def _octaves(shape: tuple[int, ...]) -> NDArray[np.intp]:
    radius = np.sqrt(sum(f**2 for f in _frequencies(shape)))
    return np.asarray(np.digitize(radius, OCTAVES) - 1, np.intp)


def _frequencies(shape: tuple[int, ...]) -> tuple[NDArray[np.float64], ...]:
    """Return the frequencies of an FFT along each axis, to be broadcast."""
    return np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij", sparse=True)
