"""Local amplitudes and their agreement the slow way: one window at a time, formulas written out."""

from math import erfc, exp, pi, sqrt

import numpy as np


def naive_windowed(plane, frequency, size):
    """(rows, columns) amplitude of exp(2 pi i f.n), n from pixel 0, windows `size` wide, half overlapping."""
    half = size // 2
    rows, columns = (n // half - 1 for n in plane.shape)
    out = np.zeros((rows, columns), complex)
    for i in range(rows):
        for j in range(columns):
            y, x = np.arange(i * half, i * half + size), np.arange(j * half, j * half + size)
            cut = plane[y[0] : y[-1] + 1, x[0] : x[-1] + 1].astype(complex)
            along = np.array([_fit(cut[:, k], y, frequency[0]) for k in range(size)])
            out[i, j] = _fit(along, x, frequency[1])
    return out


def _fit(values, n, frequency):
    """Coefficient of the wave in a Hann-weighted least-squares fit of wave, conjugate wave and parabola."""
    weight = 1 - np.cos(2 * pi * (n - n[0] + 0.5) / len(n))
    if frequency == 0:
        return (weight * values).sum() / weight.sum()
    wave = np.exp(2j * pi * frequency * n)
    middle = n - n.mean()
    columns = [wave, np.ones(len(n)), middle, middle**2] + ([wave.conj()] if frequency != 0.5 else [])
    root = np.sqrt(weight)
    return np.linalg.lstsq(np.stack(columns, 1) * root[:, None], values * root, rcond=None)[0][0]


def naive_p(phasors, *, real, axial):
    """p-value of a box of unit phasors (rows, columns), windows overlapping by half on both axes."""
    independent = phasors.size / (4 / 3) ** 2 / (2 if axial else 1)
    z2 = independent * abs(sum(phasors.ravel()) / phasors.size) ** 2
    return erfc(sqrt(z2 / 2)) if real else exp(-z2)


def naive_median(points):
    """Point (C,) with the least sum of distances to `points` (C, n), by descent from the mean."""
    from scipy.optimize import minimize

    channels = len(points)

    def total(v):
        at = v[:channels] + 1j * v[channels:]
        return np.sqrt((np.abs(points - at[:, None]) ** 2).sum(axis=0)).sum()

    start = points.mean(axis=1)
    found = minimize(total, np.concatenate([start.real, start.imag]), tol=1e-10)
    return found.x[:channels] + 1j * found.x[channels:]
