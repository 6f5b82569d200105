"""Tapered Fourier sums of arrays at all lines of base periods: folded along one axis, dense along others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from uncheck.measuring.passes import FullPass
from uncheck.measuring.tapers import tapers


def planar(arrays: Any) -> Any:
    """Return (N, *spatial, C) as (N, n_0, C, n_1, ...): rows of one channel are then contiguous."""
    xp = array_namespace(arrays)
    moved = xp.moveaxis(arrays, -1, 2)
    return np.ascontiguousarray(moved) if isinstance(moved, np.ndarray) else moved


def full_lines(planes: Any, passes: Sequence[FullPass]) -> Any:
    """Compute all lines of some passes from `planar` arrays, (N, F, C, K).

    Cost for each pass: K_0 multiplications per value for the first axis, and s_0 s_1 K_0 K_1 C n_1 for a
    second one.
    """
    ndim, parts = planes.ndim - 2, []
    for full in passes:
        data = folded(planes, full.periods[0], ndim)
        for axis in range(ndim - 1, 0, -1):
            data = _dense(data, full.periods[axis], ndim, axis)
        parts.append(_products(data, full.periods))
    return _lines(parts, passes)


def box_lines(
    planes: Any, rows: Sequence[slice], columns: Sequence[slice], passes: Sequence[FullPass]
) -> Any:
    """Compute what `full_lines` does for all boxes of some rows and columns of (H, C, W).

    The boxes have one shape: (rows x columns, F, C, K), columns fastest.
    """
    xp, parts = array_namespace(planes), []
    for full in passes:
        bands = [folded(planes[None, band], full.periods[0], 2) for band in rows]
        boxes = [dense_sums(band[..., cut], full.periods[1], 2) for band in bands for cut in columns]
        parts.append(_products(xp.concat(boxes, axis=0), full.periods))
    return _lines(parts, passes)


def folded(planes: Any, period: int, ndim: int) -> Any:
    """Sum the first axis of (N, n_0, C, ...) under each taper by phase, to (N, period, K_0, C, ...)."""
    xp = array_namespace(planes)
    window = like(tapers(planes.shape[1], ndim).values, planes)
    flat = xp.reshape(planes, (*planes.shape[:2], -1))
    out = xp.stack([window[:, p::period] @ flat[:, p::period] for p in range(period)], axis=1)
    return xp.reshape(out, (*out.shape[:3], *planes.shape[2:]))


def dense_sums(data: Any, period: int, ndim: int) -> Any:
    """Sum the last axis under each taper times cosines and sines, to (..., 2, A, K): `waves` of the period.

    A product with all of them at once is quicker than folding, and leaves everything in place.
    """
    xp, n = array_namespace(data), data.shape[-1]
    table = _table(n, ndim, period) if n * period <= SMALL else _made_table(n, ndim, period)
    out = xp.reshape(data, (-1, n)) @ like(table, data)
    return xp.reshape(out, (*data.shape[:-1], 2, period // 2 + 1, -1))


def _dense(data: Any, period: int, ndim: int, axis: int) -> Any:
    """Sum axis `axis` of what `folded` gives; the axes after it are summed already."""
    xp = array_namespace(data)
    return dense_sums(xp.moveaxis(data, axis + 3, -1) if axis < ndim - 1 else data, period, ndim)


def _products(data: Any, periods: tuple[int, ...]) -> Any:
    """Order the sums (N, s_0, K_0, C, 2, A_last, K_last, ..., 2, A_1, K_1) as (N, 2^ndim, A_0 A_1 ..., C, K).

    The second axis is the choice of cosine or sine along each axis, the third that of the frequency.
    """
    xp, ndim = array_namespace(data), len(periods)
    count, rest = data.shape[0], data.shape[2:]
    data = like(waves(periods[0]), data) @ xp.reshape(data, (count, periods[0], -1))
    data = xp.reshape(data, (count, 2, -1, *rest))
    # Axes: N, 2, A_0, K_0, C, then 2, A, K of the last axis first.
    places = [(1, 2, 3), *((5 + 3 * i, 6 + 3 * i, 7 + 3 * i) for i in range(ndim - 2, -1, -1))]
    data = xp.permute_dims(
        data, (0, *(place[i] for i in (0, 1) for place in places), 4, *(k for *_, k in places))
    )
    return xp.reshape(data, (count, 2**ndim, -1, rest[1], prod(data.shape[2 * ndim + 2 :])))


def _lines(products: Sequence[Any], passes: Sequence[FullPass]) -> Any:
    """Combine the `_products` of some passes to their lines, (N, F, C, K).

    exp(-i (a + b)) = (cos a - i sin a) (cos b - i sin b), and so on.
    """
    xp = array_namespace(products[0])
    whole = products[0] if len(products) == 1 else xp.concat(products, axis=2)
    index, factors = _places(tuple(passes))
    chosen = xp.take(whole, like(index, whole), axis=2)
    chosen = chosen * like(factors, whole)
    parts = [[chosen[:, i] for i in range(len(factors)) if i.bit_count() % 2 == odd] for odd in (0, 1)]
    real, imaginary = (sum(some[1:], some[0]) for some in parts)
    return real + 1j * imaginary


@lru_cache(maxsize=128)
def _places(passes: tuple[FullPass, ...]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return where the lines of some passes are in their products, (F,), and factors (2^ndim, F, 1, 1).

    An odd number of sines is to be times i.
    """
    index, factors, start = [], [], 0
    for full in passes:
        periods = np.array(full.periods)[:, None]
        numbers = np.stack(
            [np.asarray(own)[at] for own, at in zip(full.numerators, full.bins.T, strict=True)]
        )
        mirrored = np.minimum(numbers % periods, -numbers % periods)
        sizes = tuple(p // 2 + 1 for p in full.periods)
        index.append(start + np.ravel_multi_index(tuple(mirrored), sizes))
        start += prod(sizes)
        signs = np.where(mirrored == numbers % periods, 1, -1)
        factors.append(
            [
                (-1) ** ((sum(sines) + 1) // 2)
                * np.prod(np.where(np.array(sines)[:, None], signs, 1), axis=0)
                for sines in product((0, 1), repeat=len(sizes))
            ]
        )
    return np.concatenate(index), np.concatenate(factors, axis=1).astype(np.float32)[..., None, None]


@lru_cache(maxsize=512)
def waves(period: int) -> NDArray[np.float32]:
    """Return cosines, then sines, of a / period for a = 0 to period // 2, (2 A, period)."""
    angle = 2 * np.pi * (np.outer(np.arange(period // 2 + 1), np.arange(period)) % period) / period
    return np.concatenate([np.cos(angle), np.sin(angle)]).astype(np.float32)


#: Samples times period up to which tables are kept.
SMALL = 2**14


def _made_table(n: int, ndim: int, period: int) -> NDArray[np.float32]:
    """Return tapers times `waves`, (n, 2 A K)."""
    table = waves(period)[:, np.arange(n) % period]
    return np.ascontiguousarray((table[:, None] * tapers(n, ndim).values).reshape(-1, n).T)


_table = lru_cache(maxsize=128)(_made_table)


def like(values: NDArray[Any], arrays: Any) -> Any:
    """Return `values` in the library, on the device and, floats, in the precision of `arrays`."""
    if isinstance(arrays, np.ndarray):
        return values
    xp = array_namespace(arrays)
    if values.dtype.kind in "fc":
        double = arrays.dtype in (xp.float64, xp.complex128)
        complex_, real = (np.complex128, np.float64) if double else (np.complex64, np.float32)
        values = values.astype(complex_ if values.dtype.kind == "c" else real, copy=False)
    return xp.asarray(values, device=device(arrays))
