"""Grey levels: the one unit of amplitude, 0..255 over the range of the signal."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from uncheck.errors import UncheckError

LEVELS = 255.0


def infer_range(values: NDArray[np.generic]) -> tuple[float, float]:
    """The range that values most likely live in: their type's, or the usual one that holds them.

    Unsigned integers: all of their type. Otherwise the first of 0..1 and -1..1 that holds 98 % of the values
    with 15 % to spare, then 0..255 if they reach beyond 32, else their own smallest and largest.
    """
    if values.dtype == np.bool_:
        return 0.0, 1.0
    if values.dtype.kind == "u":
        return 0.0, float(np.iinfo(values.dtype.name).max)
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        return low, high
    # Networks overshoot the range they were trained on here and there; that must not change the unit.
    sample = np.asarray(values.ravel()[:: max(1, values.size // 65536)], np.float64)
    dark, bright = (float(q) for q in np.percentile(sample, (1, 99)))
    for lower, upper in ((0.0, 1.0), (-1.0, 1.0)):
        spare = 0.15 * (upper - lower)
        if dark >= lower - spare and bright <= upper + spare:
            return lower, upper
    if low >= -0.15 * LEVELS and 32 < high <= 1.15 * LEVELS:
        return 0.0, LEVELS
    # A constant has no range of its own; any will do, for it has no lattice either.
    return low, high if high > low else low + 1.0


def to_levels(values: ArrayLike, span: tuple[float, float] | None = None) -> NDArray[np.float32]:
    """`values` scaled so that `span` (lowest, highest; inferred if None) becomes 0..255, as float32."""
    raw = np.asarray(values)
    if not raw.size or raw.dtype == object:
        raise UncheckError(f"expected numbers, got an array of shape {raw.shape} and type {raw.dtype}")
    low, high = infer_range(raw) if span is None else span
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = raw.size - int(np.isfinite(raw).sum())
        raise UncheckError(f"{bad} of {raw.size} values are NaN or infinite; mask or replace them first")
    if span is not None and high <= low:
        raise UncheckError(f"range {low:g},{high:g} is empty; give the lowest value first, then the highest")
    if (low, high) == (0.0, LEVELS):
        return raw.astype(np.float32)
    scale = LEVELS / (high - low) if high > low else 1.0
    return ((raw.astype(np.float64) - low) * scale).astype(np.float32)
