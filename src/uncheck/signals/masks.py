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
    known = mask[..., None]
    if max(mask.shape) == 1:
        return np.zeros_like(values)
    out = _coarse(np.where(known, values, np.float32(0)), known.astype(np.float32))
    np.copyto(out, values, where=known)
    return out


def _pulled(total: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return means of all scales, from sums of measured values (*spatial, C) and weights (*spatial, 1)."""
    mean = np.asarray(total / np.maximum(weight, 1e-6), np.float32)
    if max(weight.shape[:-1]) == 1:
        return mean
    return np.asarray(weight * mean + (1 - weight) * _coarse(total, weight), np.float32)


def _coarse(total: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `_pulled` of blocks of two samples per axis, interpolated."""
    half_total, half_weight = total, weight
    for axis in range(weight.ndim - 1):
        half_total, half_weight = _halved(half_total, axis), _halved(half_weight, axis)
    # A block counts as known once two samples were in it: single ones would carry their noise far.
    known = np.minimum(half_weight / 2, 1)
    scaled = half_total * (known / np.maximum(half_weight, 1e-6))
    coarse = _pulled(scaled.astype(np.float32, copy=False), known.astype(np.float32, copy=False))
    for axis, n in enumerate(weight.shape[:-1]):
        coarse = _doubled(coarse, axis, n)
    return np.ascontiguousarray(coarse)


def _halved(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Sum pairs along an axis; the last one alone if their number is odd."""
    n = values.shape[axis]
    if n == 1:
        return values
    moved = np.moveaxis(values, axis, 0)
    out = moved[0::2].copy()
    out[: n // 2] += moved[1::2]
    return np.moveaxis(out, 0, axis)


def _doubled(values: NDArray[np.float32], axis: int, n: int) -> NDArray[np.float32]:
    """Interpolate an axis to n samples, two of each: 3/4 of the nearer, 1/4 of the next one."""
    moved = np.moveaxis(values, axis, 0)
    if n == 1:
        return values
    out = np.empty((2 * len(moved), *moved.shape[1:]), np.float32)
    out[0::2] = 0.75 * moved
    out[1::2] = out[0::2]
    out[2::2] += 0.25 * moved[:-1]
    out[0] += 0.25 * moved[0]
    out[1:-1:2] += 0.25 * moved[1:]
    out[-1] += 0.25 * moved[-1]
    return np.moveaxis(out[:n], 0, axis)
