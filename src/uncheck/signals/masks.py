"""Masks: filling what is not measured smoothly, and cutting off what lies around the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def percent(share: float) -> str:
    """Return a share as "38 %", and a small one as "less than 1 %".

    >>> percent(0.377), percent(0.001)
    ('38 %', 'less than 1 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"


def filled(values: NDArray[np.float32], mask: Mask) -> NDArray[np.float32]:
    """Return values with those outside the mask replaced by what the ones inside lead to, smoothly.

    Means over blocks of 2, 4, 8, ... samples per axis, of measured values alone, fill the places that have no
    finer one; between them lies a quadratic spline (Chaikin's subdivision). What was not measured then has no
    edge and next to no power at the frequencies of a lattice.

    >>> ramp = np.arange(8, dtype=np.float32)[:, None]
    >>> ramp[4:6] = np.nan
    >>> print(filled(ramp, np.isfinite(ramp[:, 0])).ravel().round(1))
    [0.  1.  2.  3.  3.6 4.6 6.  7. ]

    Args:
        values: (*spatial, C), anything outside the mask, NaN too.
        mask: (*spatial), True where a value is measured; nowhere True gives zeros.

    Cost: about ten passes over the array. Source: Gortler et al., SIGGRAPH 1996 ("pull-push").
    """
    if mask.all():
        return values
    if max(mask.shape) == 1:
        return np.zeros_like(values)
    # Channels first: weights of single samples are then factors of long rows.
    planes = np.zeros((values.shape[-1], *mask.shape), np.float32)
    for plane, channel in zip(planes, np.moveaxis(values, -1, 0), strict=True):
        np.copyto(plane, channel, where=mask)
    out = _coarse(planes, mask.astype(np.float32))
    for plane, channel in zip(out, np.moveaxis(values, -1, 0), strict=True):
        np.copyto(plane, channel, where=mask)
    return np.ascontiguousarray(np.moveaxis(out, 0, -1))


def _pulled(total: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return means of all scales, from sums of measured values (C, *spatial) and weights (*spatial)."""
    mean = total * (1 / np.maximum(weight, np.float32(1e-6)))
    if max(weight.shape) == 1:
        return np.asarray(mean, np.float32)
    coarse = _coarse(total, weight)
    mean -= coarse
    mean *= weight
    coarse += mean
    return coarse


def _coarse(total: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `_pulled` of blocks of two samples per axis, interpolated."""
    half_total, half_weight = total, weight
    for axis in range(weight.ndim):
        half_total, half_weight = _halved(half_total, axis + 1), _halved(half_weight, axis)
    # A block counts as known once two samples were in it: single ones would carry their noise far.
    known = np.minimum(half_weight / 2, 1)
    scaled = half_total * (known / np.maximum(half_weight, 1e-6))
    coarse = _pulled(scaled.astype(np.float32, copy=False), known.astype(np.float32, copy=False))
    for axis, n in enumerate(weight.shape):
        coarse = _doubled(coarse, axis + 1, n)
    return coarse


def _halved(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Sum pairs along an axis; the last one alone if their number is odd."""
    n = values.shape[axis]
    if n == 1:
        return values
    out = values[_along(axis, slice(0, None, 2))].copy()
    out[_along(axis, slice(n // 2))] += values[_along(axis, slice(1, None, 2))]
    return out


def _doubled(values: NDArray[np.float32], axis: int, n: int) -> NDArray[np.float32]:
    """Interpolate an axis to n samples, two of each: 3/4 of the nearer, 1/4 of the next one."""
    if n == 1:
        return values
    near, far = np.float32(0.75) * values, np.float32(0.25) * values
    out = np.empty((*values.shape[:axis], 2 * values.shape[axis], *values.shape[axis + 1 :]), np.float32)
    first, last = _along(axis, slice(1)), _along(axis, slice(-1, None))
    even, odd = out[_along(axis, slice(0, None, 2))], out[_along(axis, slice(1, None, 2))]
    before, after = _along(axis, slice(-1)), _along(axis, slice(1, None))
    np.add(near[after], far[before], out=even[after])
    np.add(near[before], far[after], out=odd[before])
    even[first], odd[last] = values[first], values[last]
    return out[_along(axis, slice(n))]


def _along(axis: int, part: slice) -> tuple[slice, ...]:
    return (*[slice(None)] * axis, part)
