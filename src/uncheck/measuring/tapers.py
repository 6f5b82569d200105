"""The windows of the harmonic test: a few discrete prolate spheroidal sequences (DPSS) per axis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal.windows import dpss

#: Time-half-bandwidth product and number of tapers of a long axis: 25 eigenspectra of a picture.
HALF_BANDWIDTH = 3.0
COUNT = 5

#: An axis carries at least this many periods of whatever is tested on it, so that the line stays
#: clear of the mean (the tapers resolve `HALF_BANDWIDTH / n` cycles per pixel).
MIN_CYCLES = 4


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
def tapers(n: int) -> Tapers:
    """The tapers of an axis of n pixels.

    Args:
        n: length in pixels, at least 4. Below 12 pixels the bandwidth shrinks to n/4, and the number of
            tapers with it, because no sequence of length n is concentrated in more.

    Returns:
        K = 5 tapers of time-half-bandwidth 3 on an ordinary axis (Thomson, Proc. IEEE 70, 1982, section III).

    Cost: O(n K) once per length; the result is cached.
    """
    half_bandwidth = min(HALF_BANDWIDTH, n / 4)
    count = max(2, round(COUNT * half_bandwidth / HALF_BANDWIDTH))
    values = dpss(n, half_bandwidth, count, sym=True)
    sums = values.sum(axis=1)
    # Odd tapers sum to zero exactly; rounding must not make them look informative.
    sums[1::2] = 0.0
    return Tapers(values.astype(np.float32), sums)


def half_width(n: int) -> float:
    """Half the band of the tapers of an axis of n pixels, in cycles per pixel."""
    return min(HALF_BANDWIDTH, n / 4) / n


def longest_period(n: int) -> int:
    """The longest period, in pixels, that an axis of n pixels can be tested for (0: none)."""
    if n < 4:
        return 0
    return max(2, n // MIN_CYCLES)
