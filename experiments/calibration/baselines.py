"""Measures that people use now, in their plainest form, for comparison. All take (H, W) in grey levels.

Each gives one number for one period, larger for more of a lattice, and has the threshold users go by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

Plane = NDArray[np.float64]


def phase_mean_variance(plane: Plane, period: int) -> float:
    """-log10 p of a one-way ANOVA: do the P^2 phases have one mean?

    F = (variance between phase means, per phase) / (variance within phases), F(P^2 - 1, N - P^2).
    """
    rows, columns = (n // period * period for n in plane.shape)
    split = plane[:rows, :columns].reshape(rows // period, period, columns // period, period)
    means = split.mean(axis=(0, 2))
    count = rows * columns // period**2
    between = count * ((means - means.mean()) ** 2).sum() / (period**2 - 1)
    within = ((split - means[None, :, None, :]) ** 2).sum() / (rows * columns - period**2)
    p = fdtrc(period**2 - 1, rows * columns - period**2, between / max(within, 1e-12))
    return float(-np.log10(max(p, 1e-300)))


def phase_locked_amplitude(plane: Plane, period: int) -> float:
    """Peak amplitude in grey levels of the strongest sinusoid that has exactly this period.

    |mean of x exp(-2 pi i f.n)| over the whole picture, as a notch at the Nyquist frequency estimates it.
    """
    rows, columns = (n // period * period for n in plane.shape)
    split = plane[:rows, :columns].reshape(rows // period, period, columns // period, period)
    tile = split.mean(axis=(0, 2))
    lines = np.abs(np.fft.fft2(tile) / tile.size)
    lines *= np.where(_own_conjugate(period), 1, 2)
    return float(lines[_lines(period)].max())


def radial_excess(plane: Plane, period: int) -> float:
    """Excess in dB of the azimuthally averaged power spectrum over its neighbours, at the lattice radii.

    At 1/P and sqrt(2)/P, rings one frequency bin wide against the mean of those 3 to 8 bins away.
    """
    power = np.abs(np.fft.fft2(plane - plane.mean())) ** 2
    side = min(plane.shape)
    radius = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in plane.shape), indexing="ij"))
    ring = np.rint(radius * side).astype(int).ravel()
    profile = np.bincount(ring, power.ravel()) / np.maximum(np.bincount(ring), 1)
    excess = []
    for wanted in (side / period, np.sqrt(2) * side / period):
        middle = round(wanted)
        near = [middle + d for d in range(-8, 9) if abs(d) >= 3 and middle + d < len(profile)]
        if middle < len(profile) and near:
            excess.append(10 * np.log10(profile[middle] / max(profile[near].mean(), 1e-12)))
    return float(max(excess))


def spectral_peak(plane: Plane, period: int) -> float:
    """How many sigmas the log magnitude at the strongest line of this period stands above the mean.

    Mean and sigma over all frequencies beyond 1/16 cycles per pixel.
    """
    rows, columns = (n // period * period for n in plane.shape)
    cut = plane[:rows, :columns]
    magnitude = np.log(np.abs(np.fft.fft2(cut - cut.mean())) + 1e-3)
    radius = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None, :])
    beyond = magnitude[radius > 1 / 16]
    at = magnitude[:: rows // period, :: columns // period]
    return float((at[_lines(period)].max() - beyond.mean()) / beyond.std())


@dataclass(frozen=True)
class Baseline:
    """`score(plane, period)`, found where above `threshold`."""

    name: str
    score: Callable[[Plane, int], float]
    threshold: float
    rule: str


BASELINES = (
    Baseline("phase-mean variance", phase_mean_variance, 3.0, "ANOVA p < 0.001"),
    Baseline("phase-locked amplitude", phase_locked_amplitude, 0.5, "above 0.5 / 255"),
    Baseline("radial spectrum excess", radial_excess, 1.0, "1 dB above its neighbours (our choice)"),
    Baseline("FFT peak", spectral_peak, 4.0, "mean + 4 sigma"),
)


def _lines(period: int) -> NDArray[np.bool_]:
    """Which of the P x P frequencies (a/P, b/P) have period P and no shorter one."""
    numbers = range(period)
    return np.array([[gcd(a, b, period) == 1 for b in numbers] for a in numbers])


def _own_conjugate(period: int) -> NDArray[np.bool_]:
    own = 2 * np.arange(period) % period == 0
    return np.outer(own, own)
