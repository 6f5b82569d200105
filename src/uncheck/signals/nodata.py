"""Values that stand for nothing: NaN, a stated number, or a fill that lies far outside the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Mask = NDArray[np.bool_]

#: Fills are at least so large (-999, -9999, 1e20): what lies closer to 0 may be a value.
FILL_FROM = 999.0

#: They lie at least so many spans of all other values away from the nearest of them.
FAR = 2.0

#: A fill may have been rounded to float32, or written with six digits (9.96921e+36).
CLOSE = 1e-6


def find_missing(
    array: Array, stated: float | None = None, span: tuple[float, float] | None = None
) -> tuple[Mask | None, tuple[str, ...]]:
    """Return which places of (*spatial, C) hold values, None if all do, and what to say of the others.

    NaN and infinities are missing, and so are values equal to the `stated` one. Where none is stated, the
    smallest or largest value is recognised as a fill if it occurs at least twice, is 999 or more in size (or
    the last of a type of 16 bits), and lies at least twice the span of all others away from the nearest.
    One missing channel makes a place missing; of 8 bits per channel all must be (black alone is no nodata).

    >>> mask, notes = find_missing(np.array([[1.0], [-9999], [2], [-9999]]))
    >>> mask.tolist(), notes[0]
    ([True, False, True, False], '2 of 4 pixels hold -9999, far outside all others: masked as a fill.')

    Cost: two or three passes if nothing is missing.
    """
    whole = array.dtype.kind != "f"
    if array.dtype.kind == "b" or (array.dtype.itemsize == 1 and stated is None):
        return None, ()
    notes: list[str] = []
    known: Mask = np.ones(array.shape[:-1], np.bool_)
    if not whole and not np.isfinite(array.sum(dtype=np.float64)):
        known = np.asarray(np.isfinite(array).all(axis=-1))
        if not known.all():
            notes.append(f"{_share(known)} hold no value (NaN or infinite) and are masked.")
    if stated is not None:
        alike = _equal(array, stated)
        missing = known & (alike.all(axis=-1) if array.dtype.itemsize == 1 else alike.any(axis=-1))
        if missing.any():
            notes.append(f"{_share(~missing)} hold {stated:g} (nodata) and are masked.")
            known &= ~missing
    while stated is None and known.any():
        value = _fill(array if known.all() else array[known], span)
        if value is None:
            break
        missing = known & _equal(array, value).any(axis=-1)
        notes.append(f"{_share(~missing)} hold {value:g}, far outside all others: masked as a fill.")
        known &= ~missing
    return (None if known.all() else known), tuple(notes)


def _fill(values: Array, span: tuple[float, float] | None) -> float | None:
    """Return the smallest or largest value if it is a fill."""
    low, high = float(values.min()), float(values.max())
    ends: list[float] = []
    if values.dtype.kind in "ui":
        limits = np.iinfo(values.dtype.name)
        ends = [float(limits.min), float(limits.max)]
    for value in sorted((low, high), key=abs, reverse=True):
        if (abs(value) < FILL_FROM and value not in ends) or value == 0:
            continue
        if span is not None and span[0] <= value <= span[1]:
            continue
        rest = values[~_equal(values, value)]
        if rest.size == 0 or rest.size > values.size - 2:
            continue
        lowest, highest = float(rest.min()), float(rest.max())
        gap = lowest - value if value == low else value - highest
        if highest > lowest and gap >= FAR * (highest - lowest):
            return value
    return None


def _equal(array: Array, value: float) -> Mask:
    if not np.isfinite(value) or array.dtype.kind in "ui":
        return np.asarray(array == value)
    near = CLOSE * abs(value)
    return np.asarray((array >= value - near) & (array <= value + near))


def _share(known: Mask) -> str:
    return f"{known.size - int(np.count_nonzero(known))} of {known.size} pixels"
