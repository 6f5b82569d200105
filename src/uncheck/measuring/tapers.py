"""The windows of the harmonic test: a few discrete prolate spheroidal sequences (DPSS) per axis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, reduce

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

#: Time-half-bandwidth product and tapers per axis, by number of axes: about 25 eigenspectra in all.
HALF_BANDWIDTH = {1: 13.0, 2: 3.0, 3: 2.0}
COUNT = {1: 24, 2: 5, 3: 3}

#: Tapers longer than this are interpolated: solving for them takes seconds and changes nothing.
LONGEST_SOLVED = 4096


@dataclass(frozen=True, eq=False)
class Tapers:
    """K orthonormal tapers of length n: `values` (K, n) and their sums `sums` (K,)."""

    values: NDArray[np.float32]
    sums: NDArray[np.float64]

    @property
    def count(self) -> int:
        """Number of tapers, K."""
        return len(self.sums)


@lru_cache(maxsize=256)
def tapers(n: int, ndim: int) -> Tapers:
    """Return the tapers of an axis of n samples in an array of `ndim` axes.

    The fewer axes, the more tapers each needs: K = 24, 5 or 3 of time-half-bandwidth 13, 3 or 2 on a long
    axis in 1-D, 2-D or 3-D; fewer, and narrower, on an axis too short to concentrate as many (Thomson, Proc.
    IEEE 70, 1982, section III). One or two samples have a single flat taper.

    Cost: O(n K) once per length; the result is cached.
    """
    if n < 3:
        return Tapers(np.full((1, n), n**-0.5, np.float32), np.array([n**0.5]))
    half_bandwidth = _half_bandwidth(n, ndim)
    count = max(2, round(COUNT[ndim] * half_bandwidth / HALF_BANDWIDTH[ndim]))
    values = slepian(min(n, LONGEST_SOLVED), half_bandwidth, count)
    if n > LONGEST_SOLVED:
        from scipy.interpolate import CubicSpline  # takes half a second, and few need it

        # Long tapers differ by scale only (their limit is the prolate spheroidal wave function).
        middle = (np.arange(n) + 0.5) * LONGEST_SOLVED / n - 0.5
        values = CubicSpline(np.arange(LONGEST_SOLVED), values, axis=1)(middle)
        values /= np.linalg.norm(values, axis=1, keepdims=True)
    sums = values.sum(axis=1)
    # Odd tapers sum to zero exactly; rounding must not make them look informative.
    sums[1::2] = 0.0
    return Tapers(values.astype(np.float32), sums)


def slepian(n: int, half_bandwidth: float, count: int) -> NDArray[np.float64]:
    """Return the first discrete prolate spheroidal sequences of n samples, orthonormal, (count, n).

    Eigenvectors of the tridiagonal matrix that commutes with the concentration problem; symmetric ones have a
    positive mean, antisymmetric ones a positive first lobe. These are those of scipy.signal.windows.dpss,
    without the second that importing scipy.signal takes of every process.

    >>> slepian(4, 1.5, 2).round(3).tolist()
    [[0.249, 0.662, 0.662, 0.249], [0.546, 0.45, -0.45, -0.546]]

    Source: Percival and Walden, Spectral Analysis for Physical Applications (1993), pp. 379 and 387.
    """
    place = np.arange(n)
    diagonal = ((n - 1 - 2 * place) / 2.0) ** 2 * np.cos(2 * np.pi * half_bandwidth / n)
    beside = place[1:] * (n - place[1:]) / 2.0
    vectors = eigh_tridiagonal(diagonal, beside, select="i", select_range=(n - count, n - 1))[1]
    out = np.ascontiguousarray(vectors.T[::-1])
    for k, own in enumerate(out):
        lead = own[own**2 > max(1e-7, 1 / n)][0] if k % 2 else own.sum()
        if lead < 0:
            own *= -1
    return np.asarray(out, np.float64)


def window_sums(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the sums of the product tapers of all axes, (K,), in the order of `eigenspectra`."""
    return reduce(np.multiply.outer, [tapers(n, len(shape)).sums for n in shape]).ravel()


def longest_period(n: int, ndim: int) -> int:
    """Return the longest period, in samples, that an axis of n samples can be tested for (0: none).

    Its line must stay clear of the mean by more than the half-width of the tapers: three and a half cycles
    in 2-D. So what fits a picture of 2^k pixels fits what is left without its border.
    """
    if n < 4:
        return 0
    return max(2, int(n / (_half_bandwidth(n, ndim) + 0.5)))


def half_width(n: int, ndim: int) -> float:
    """Return half the band of the tapers of an axis of n samples, in cycles per sample."""
    return _half_bandwidth(n, ndim) / n


def _half_bandwidth(n: int, ndim: int) -> float:
    wanted = HALF_BANDWIDTH[ndim]
    if ndim == 1:
        wanted = min(wanted, max(3.0, n / 16))
    return min(wanted, n / 4)
