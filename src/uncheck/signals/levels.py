"""Grey levels: the one unit of amplitude, 0..255 over the range of the signal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from uncheck.errors import UncheckError

LEVELS = 255.0

#: Rec. 601 weights of red, green and blue in brightness, as in JFIF.
LUMA = np.array([0.299, 0.587, 0.114])


def infer_range(values: NDArray[np.generic]) -> tuple[float, float]:
    """Infer the range that values live in: their type's, or the usual one that holds them.

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
    """Scale values so that `span` (lowest, highest; inferred if None) becomes 0..255, as float32."""
    raw = np.asarray(values)
    if not raw.size or raw.dtype == object:
        raise UncheckError(f"expected numbers, got an array of shape {raw.shape} and type {raw.dtype}")
    low, high = infer_range(raw) if span is None else span
    if not (np.isfinite(low) and np.isfinite(high)):
        raise not_finite(raw)
    if span is not None and high <= low:
        raise UncheckError(f"range {low:g},{high:g} is empty; give the lowest value first, then the highest")
    if (low, high) == (0.0, LEVELS):
        return raw.astype(np.float32)
    scale = LEVELS / (high - low) if high > low else 1.0
    with np.errstate(over="ignore"):  # a value that is far beyond the range becomes infinite
        return ((raw.astype(np.float64) - low) * scale).astype(np.float32)


def brightness(array: NDArray[Any]) -> NDArray[Any]:
    """Return the brightness of (..., C): weighted by LUMA where there are three colours, else their mean."""
    if array.shape[-1] < 3:
        return grey(array)
    return np.asarray(array[..., :3] @ LUMA.astype(array.dtype))


def grey(array: NDArray[Any]) -> NDArray[Any]:
    """Return the mean over the channels of (..., C).

    A product is several times as fast as a mean over the short last axis.
    """
    channels = array.shape[-1]
    flat = array.reshape(-1, channels) @ np.full(channels, 1 / channels, np.result_type(array, np.float32))
    return np.asarray(flat.reshape(array.shape[:-1]))


def centred(array: NDArray[Any]) -> NDArray[Any]:
    """Return (*spatial, C) less the mean of each channel, in its own precision.

    Whole rows at once, which is several times as fast as channel by channel.
    """
    rows = array.reshape(len(array), -1)
    mean = channel_means(array).astype(array.dtype)
    return np.asarray((rows - np.tile(mean, rows.shape[1] // len(mean))).reshape(array.shape))


def means_along(array: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    """Return the means of (*spatial, C) along some spatial axes; products where these are quicker."""
    for axis in sorted(axes, reverse=True):
        n, rest = array.shape[axis], array.shape[axis + 1 :]
        if axis == 0:
            mean = np.full(n, 1 / n, array.dtype) @ array.reshape(n, -1)
        elif len(rest) == 1:
            each = np.tile(np.eye(*rest, dtype=array.dtype), (n, 1)) / np.asarray(n, array.dtype)
            mean = array.reshape(-1, len(each)) @ each
        else:
            mean = array.mean(axis=axis)
        array = mean.reshape(*array.shape[:axis], *rest)
    return array


def channel_means(array: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean of each channel of (*spatial, C).

    A product with ones sums rows fast; the short rest is summed in double precision.
    """
    rows = array.reshape(len(array), -1)
    sums = (np.ones(len(rows), rows.dtype) @ rows).reshape(-1, array.shape[-1]).sum(axis=0, dtype=np.float64)
    return np.asarray(sums / (array.size / array.shape[-1]), np.float64)


def check_finite(values: NDArray[np.generic], name: str = "") -> None:
    """Raise UncheckError unless all values are finite.

    Their sum is, then (barring overflow), which is much cheaper than a mask.
    """
    if not np.isfinite(values.sum(dtype=np.float64)):
        raise not_finite(values, name)


def not_finite(values: NDArray[np.generic], name: str = "") -> UncheckError:
    """Return the error that says how many values are not finite."""
    bad = values.size - int(np.isfinite(values).sum())
    where = f"{name}: " if name else ""
    return UncheckError(
        f"{where}{bad} of {values.size} values are NaN or infinite; mask or replace them first"
    )
