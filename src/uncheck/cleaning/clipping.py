"""Pixels at an end of the range: the lattice was cut off there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uncheck.cleaning.windows import block_sums
from uncheck.signals.levels import LEVELS

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

#: Pixels along an axis of the blocks whose mean says what a clipped pixel was.
BLOCK = 8


def ends(values: Array) -> tuple[Mask, Mask]:
    """Return where an array in grey levels is at the lower and at the upper end of the range."""
    return values <= 0, values >= LEVELS


def clipped(values: Array) -> Mask:
    """Return where any channel of (*spatial, C) is at an end of the range, (*spatial)."""
    out = np.zeros(values.shape[:-1], bool)
    for channel in range(values.shape[-1]):
        low, high = ends(values[..., channel])
        out |= low
        out |= high
    return out


def cut_off(values: Array, lattice: Array) -> Array:
    """Return the lattice as it is in a picture (*spatial, C) whose values were clipped after it came.

    A pixel at 255 was at least 255 less the lattice, and at most 255: of these the value nearest to the mean
    of the cleaned pixels in its block of 8 is taken that were not clipped, or whose clipping the lattice
    cannot have made. So with 0. Where the lattice is cut off nowhere, it is returned as it is.

    Cost: a few comparisons, and some passes over pictures with clipped pixels.
    """
    low, high = ends(values)
    low &= lattice < 0
    high &= lattice > 0
    low |= high
    if not low.any():
        return lattice
    hidden = np.nonzero(low)
    cleaned = np.subtract(values, lattice)
    np.clip(cleaned, 0, LEVELS, out=cleaned)
    bound, own = cleaned[hidden], values[hidden]
    cleaned[hidden] = 0
    total, count = (block_sums(one, BLOCK) for one in (cleaned, (~low).astype(np.float32)))
    places = (*(place // BLOCK for place in hidden[:-1]), hidden[-1])
    total, count = total[places], count[places]
    around = np.where(count > 0, total / np.maximum(count, 1), own)
    out = lattice.copy()
    out[hidden] = own - np.clip(around, np.minimum(bound, own), np.maximum(bound, own))
    return out
