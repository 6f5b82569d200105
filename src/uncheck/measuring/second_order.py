"""The second order of a lattice: contrast of the picture that depends on the phase."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from uncheck.measuring.components import SIGNIFICANCE, Lattice, without
from uncheck.measuring.lattice import PERIODS, find_lattices
from uncheck.measuring.support import Support
from uncheck.plain import Brief
from uncheck.signals.masks import filled

#: Grey levels below which detail is rounding.
FLOOR = 0.5

#: Rows of a picture worked on at a time.
ROWS = 32

#: Decibels per neper of power.
DECIBELS = 10 / float(np.log(10))


@dataclass(frozen=True)
class Modulation(Brief):
    """Contrast that depends on the phase of one period.

    `period` in pixels per axis; `modulation` the peak deviation in dB of the power of the detail at the
    period's phases from their mean (root of the summed squares of the sinusoids); `p_value` corrected as that
    of a first-order component.
    """

    period: tuple[int, ...]
    modulation: float
    p_value: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {"period": list(self.period), "modulation_db": self.modulation, "p_value": self.p_value}


def second_order(
    array: NDArray[np.float32],
    lattice: Lattice | None = None,
    *,
    periods: Iterable[int] = PERIODS,
    significance: float = SIGNIFICANCE,
    support: Support | None = None,
) -> tuple[Modulation, ...]:
    """Find periods at which the variance of the picture is cyclostationary, strongest first.

    Interpolation leaves smoother pixels between the ones it keeps, so details have a variance that repeats
    with the period. The harmonic test is run on the log-contrast of the picture (`contrast`), in which a
    modulation of contrast is a line whatever the contrast itself. What is present in `lattice` is taken out
    before, for a strong line of the first order would show here too. Each axis must have at least 4 pixels.
    With a `support`, only details whose neighbours are measured count.

    Cost: about that of one channel of `find_lattice`, and one logarithm per pixel.
    Source: Gallagher, CRV 2005 (variance of the second derivative); Kirchner, MM&Sec 2008.
    """
    rest = without(array, (c for c in lattice.present if not c.signed) if lattice else ())
    made = contrast(rest)[..., None]
    if support is not None:
        known = minimum_filter(support.share, 3, mode="nearest") > 0
        known = known[tuple(slice(1, -1) if n >= 3 else slice(None) for n in known.shape)]
        made, support = filled(made, known), Support(known.astype(np.float32))
        if not known.any():
            return ()
    found = find_lattices(
        made[None], periods=periods, threshold=0.0, significance=significance, support=support
    )
    return tuple(Modulation(c.period, c.amplitude * DECIBELS, c.p_value) for c in found[0].present)


def contrast(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of log(d^2 + FLOOR^2) over several details d of the mean over channels.

    The details are the differences to the next pixel along each axis, and the pixel less the mean of its
    neighbours: enlarging by two keeps the symmetry of the latter, unequal phases can keep that of the former.
    The result has two pixels less along every axis of three or more.
    """
    axes = [axis for axis, n in enumerate(array.shape[:-1]) if n >= 3]
    inner = tuple(slice(1, -1) if axis in axes else slice(None) for axis in range(array.ndim - 1))
    out = np.empty([n - 2 * (axis in axes) for axis, n in enumerate(array.shape[:-1])], np.float32)
    # A few rows at a time stay in the cache.
    for start in range(0, len(out), ROWS):
        rows = slice(start, start + ROWS + (2 if 0 in axes else 0))
        out[start : start + ROWS] = _contrast(array[rows], axes, inner)
    return out


def _contrast(array: NDArray[np.float32], axes: list[int], inner: tuple[slice, ...]) -> NDArray[np.float32]:
    channels = array.shape[-1]
    grey = array.reshape(-1, channels) @ np.full(channels, 1 / channels, np.float32)
    grey = grey.reshape(array.shape[:-1])
    product = np.ones_like(grey[inner])
    curvature = np.zeros_like(product)
    for axis in axes:
        across = (*inner[:axis], slice(None), *inner[axis + 1 :])
        steps = np.diff(grey[across], axis=axis)
        after = steps[(slice(None),) * axis + (slice(1, None),)]
        curvature += after - steps[(slice(None),) * axis + (slice(None, -1),)]
        product *= _power(after)
    curvature *= np.float32(1 / max(1, 2 * len(axes)))
    product *= _power(curvature)
    # One logarithm of the product is the sum of the logarithms.
    np.log(product, out=product)
    product *= np.float32(1 / (len(axes) + 1))
    return product


def _power(detail: NDArray[np.float32]) -> NDArray[np.float32]:
    squared = np.square(detail)
    squared += np.float32(FLOOR**2)
    return squared
