"""Pixels at an end of the range: the lattice was cut off there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uncheck.signals.levels import LEVELS

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

#: Pixels to every side whose mean says what a clipped pixel was.
REACH = 4


def ends(values: Array) -> tuple[Mask, Mask]:
    """Return where an array in grey levels is at the lower and at the upper end of the range."""
    return values <= 0, values >= LEVELS


def cut_off(values: Array, lattice: Array) -> Array:
    """Return the lattice as it is in a picture (*spatial, C) whose values were clipped after it came.

    A pixel at 255 was at least 255 less the lattice, and at most 255: of these the value nearest to the mean
    of the cleaned pixels around it is taken that were not clipped, or whose clipping the lattice cannot have
    made. So with 0. Where the lattice is cut off nowhere, it is returned as it is.

    Cost: two comparisons, and a few passes over the channels with clipped pixels.
    """
    low, high = ends(values)
    hidden = (low & (lattice < 0)) | (high & (lattice > 0))
    if not hidden.any():
        return lattice
    out = lattice.copy()
    for channel in np.flatnonzero(hidden.any(axis=tuple(range(values.ndim - 1)))):
        gone, own = hidden[..., channel], values[..., channel]
        cleaned = np.clip(own - lattice[..., channel], 0, LEVELS)
        around = _mean_around(cleaned, ~gone)
        around = np.where(np.isnan(around), own, around)
        bound = cleaned[gone]
        truth = np.clip(around[gone], np.minimum(bound, own[gone]), np.maximum(bound, own[gone]))
        out[..., channel][gone] = own[gone] - truth
    return out


def _mean_around(plane: Array, known: Mask) -> Array:
    """Return the mean of the known values in the square around each; NaN where there is none."""
    from scipy.ndimage import uniform_filter  # few pictures need it

    size = 2 * REACH + 1
    total = uniform_filter(np.where(known, plane, np.float32(0)), size, mode="constant")
    count = uniform_filter(known.astype(np.float32), size, mode="constant")
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(count > 0.5 / size**plane.ndim, total / count, np.nan), np.float32)
