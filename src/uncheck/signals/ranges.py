"""The range of values that becomes 255 grey levels: the type's, a usual one, or that of the data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uncheck.signals.levels import LEVELS

Array = NDArray[Any]

#: Values looked at for percentiles.
SAMPLE = 65536

#: A usual range is kept where 98 % of the values span at least this share of it; `inspect` does likewise.
FULL_SPREAD = 1 / 8

#: How far beyond it those 98 % may lie, as a share of it: networks overshoot the range they were trained on.
SPARE = 0.15

#: How far beyond 0..255 nine tenths may lie, as a share of it: 230 to 290 kelvin are no picture.
INSIDE = 0.02

#: How far a range of the data reaches beyond the middle 98 % of them, as a share of their span. Noise stays
#: within; a few values twenty times the rest, as attribution maps have, must not set the unit.
REACH = 0.5

#: How far from whole levels values of 8 bits may be after a conversion to float32 and back.
WHOLE = 1e-3


class Range(NamedTuple):
    """The values that become 0 and 255 grey levels, and what they come from.

    `source` is "given" (by the caller), "type" (all that the type of the values can hold), "usual" (0..1,
    -1..1 or 0..255) or "data".
    """

    low: float
    high: float
    source: str


def find_range(values: Array, *, own: bool = False) -> Range:
    """Return the range of values: their type's, a usual one that they plainly live in, or their own.

    - Booleans and integers of 8 bits: all of the type. Unsigned integers of more bits too, if they use more
      than half of it or hold 8 bits each (all multiples of 256 or of 257).
    - 0..1, else -1..1, if the middle 98 % of the values lie within 15 % of it, and span at least an eighth of
      it or are whole levels of 8 bits.
    - 0..255, if the middle 90 % lie within 2 % of it and all within 15 %; and 1 % of the values are above
      127.5, or they are whole numbers that reach beyond 32.
    - Else the data's: the smallest and largest value, but no further from the middle 98 % than half their
      span. Scaling or shifting the values then changes no grey level.

    >>> find_range(np.linspace(0, 0.02, 99))
    Range(low=0.0, high=0.02, source='data')

    Args:
        values: any shape, not empty, finite.
        own: whether floats have a unit of their own, and so no usual range.

    Cost: two passes, and percentiles of a sample.
    """
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "b":
        return Range(0.0, 1.0, "type")
    sample = values.ravel()[:: max(1, values.size // SAMPLE)]
    if kind == "u":
        most = float(np.iinfo(values.dtype.name).max)
        if size == 1 or data_range(values)[1] > most / 2 or _eight_bits(sample):
            return Range(0.0, most, "type")
    return (None if own and kind == "f" else usual_range(values, sample)) or Range(
        *data_range(values), "data"
    )


def usual_range(values: Array, sample: Array) -> Range | None:
    """Return the first of 0..1, -1..1 and 0..255 that the values plainly live in, None if none is."""
    sample = np.asarray(sample, np.float64)
    dark, low, high, bright = (float(q) for q in np.percentile(sample, (1, 5, 95, 99)))
    for lower, upper in ((0.0, 1.0), (-1.0, 1.0)):
        size = upper - lower
        if dark < lower - SPARE * size or bright > upper + SPARE * size:
            continue
        if bright - dark >= FULL_SPREAD * size or _whole((sample - lower) * (LEVELS / size)):
            return Range(lower, upper, "usual")
    lowest, highest, spare = float(values.min()), float(values.max()), INSIDE * LEVELS
    inside = low >= -spare and high <= LEVELS + spare
    if lowest < -SPARE * LEVELS or highest > (1 + SPARE) * LEVELS or not inside:
        return None
    plain = bright > LEVELS / 2 or (highest > 32 and _whole(sample))
    return Range(0.0, LEVELS, "usual") if plain else None


def data_range(values: Array) -> tuple[float, float]:
    """Return the smallest and largest value, but at most REACH spans beyond the middle 98 %."""
    low, high = float(values.min()), float(values.max())
    sample = np.asarray(values.ravel()[:: max(1, values.size // SAMPLE)], np.float64)
    dark, bright = (float(q) for q in np.percentile(sample, (1, 99)))
    reach = REACH * (bright - dark)
    if reach > 0:  # else nearly all are equal, and the few others are all there is to see
        low, high = max(low, dark - reach), min(high, bright + reach)
    # A constant has no range of its own; any will do, for it has no lattice either.
    return low, high if high > low else low + max(1.0, abs(low))


def _eight_bits(sample: Array) -> bool:
    return bool(sample.max() > 255 and ((sample % 257 == 0).all() or (sample % 256 == 0).all()))


def _whole(levels: NDArray[np.float64]) -> bool:
    """Test whether these are whole levels, and not all close to the same one unless they are all equal."""
    whole = np.round(levels)
    return bool((np.abs(levels - whole) <= WHOLE).all() and (np.ptp(whole) > 0 or np.ptp(levels) == 0))
