"""Tapered Fourier coefficients at the lattice frequencies, without a Fourier transform of the picture.

Arrays may be of NumPy or of any library of the array API standard (PyTorch, on any device, differentiable).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from uncheck.measuring.folds import box_lines, full_lines, like, planar
from uncheck.measuring.passes import AxialPass, FrequencyPlan, FullPass, LowPass, Profile
from uncheck.measuring.tapers import tapers, window_sums
from uncheck.signals.levels import centred, channel_means


def eigenspectra(arrays: Any, plan: FrequencyPlan) -> Any:
    """Compute the tapered Fourier coefficients of `arrays` at the lattice frequencies of `plan`.

    Y_k(f) = sum_n u_k[n] x[n] exp(-2 pi i f.n), with u_k products of one DPSS per axis. From (N, *spatial, C)
    float32 or float64 grey levels less their mean to (N, F, C, K), K the number of tapers of all axes
    together, on the same device. Lines of a volume that do not vary along some axes are those of its mean
    along these (`Profile`); where they have fewer tapers than others, the rest is zero.

    Cost: for each base period s one matrix product per axis, of the tapers restricted to one phase, and a
    DFT of length s. Memory: K s / H of the picture.
    """
    xp, most = array_namespace(arrays), plan.sums.shape[-1]
    parts = []
    for profile in plan.profiles:
        flat = tuple(axis + 1 for axis in range(arrays.ndim - 2) if axis not in profile.axes)
        part = _of_profile(xp.mean(arrays, axis=flat) if flat else arrays, profile)
        if part.shape[-1] < most:
            shape = (*part.shape[:-1], most - part.shape[-1])
            part = xp.concat([part, xp.zeros(shape, dtype=part.dtype, device=device(arrays))], axis=-1)
        parts.append(part)
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=1)


def _of_profile(arrays: Any, profile: Profile) -> Any:
    xp = array_namespace(arrays)
    done: dict[Hashable, Any] = {}
    full = [one for one in profile.passes if isinstance(one, FullPass)]
    # A plan has the full passes first.
    parts = [full_lines(planar(arrays), full)] if full else []
    for one in profile.passes:
        if isinstance(one, AxialPass):
            parts.append(_axial(arrays, one))
        elif isinstance(one, LowPass):
            if one.shrink not in done:
                done[one.shrink] = _shrunk(arrays, one.shrink, arrays.ndim - 2)
            parts.append(_low(done[one.shrink], one, tuple(arrays.shape[1:-1])))
    if not parts:
        return xp.zeros((arrays.shape[0], 0, arrays.shape[-1], 1), dtype=xp.complex64, device=device(arrays))
    return xp.concat(parts, axis=1)


def eigencoefficients(
    array: NDArray[np.float32], frequencies: Sequence[tuple[float, ...]]
) -> NDArray[np.complex128]:
    """Return (F, C, K) tapered Fourier coefficients at any frequencies, by direct sums, without the mean.

    Cost: 2 K_0 multiplications per value and different frequency along the first axis.
    """
    shape = array.shape[:-1]
    table = np.asarray(frequencies, np.float64).reshape(-1, len(shape))
    first, where = np.unique(table[:, 0], return_inverse=True)
    turned = [_turned(n, len(shape), f) for n, f in zip(shape, (first, *table.T[1:]), strict=True)]
    # One product on the axis that is the long work, its real and imaginary parts apart.
    flat = turned[0].reshape(-1, shape[0])
    rows = array.reshape(shape[0], -1)
    data = (flat.real @ rows + 1j * (flat.imag @ rows)).reshape(len(first), -1, *array.shape[1:])[where]
    # The highest tapers pass some of the mean at any frequency, which in bright pictures outweighs a line.
    passed = turned[0].sum(axis=-1)[where]
    for matrix in turned[1:]:
        # (F, K so far, n, rest, C) and (F, K, n) -> (F, K so far times K, rest, C)
        data = np.einsum("fkn...,fln->fkl...", data, matrix, optimize=True)
        data = data.reshape(len(table), -1, *data.shape[3:])
        passed = (passed[:, :, None] * matrix.sum(axis=-1)[:, None]).reshape(len(table), -1)
    mean = channel_means(array)
    return np.asarray(data.swapaxes(1, 2) - mean[:, None] * passed[:, None], np.complex128)


def _turned(n: int, ndim: int, frequencies: NDArray[np.float64]) -> NDArray[np.complex64]:
    """Return the tapers of one axis turned to each frequency, (F, K, n)."""
    turn = np.exp(-2j * np.pi * frequencies[:, None] * np.arange(n))
    return np.asarray(tapers(n, ndim).values * turn[:, None], np.complex64)


def box_spectra(
    array: NDArray[np.float32], rows: Sequence[slice], columns: Sequence[slice], plan: FrequencyPlan
) -> NDArray[np.complex64]:
    """Compute what `eigenspectra` does for all boxes of some rows and columns of a picture (H, W, C).

    The boxes, of the shape of `plan`, whose passes must all be full ones, may overlap: (rows x columns, F, C,
    K), columns fastest. The mean of each box is taken out.

    Cost: rows are shared by all boxes that have them: two thirds of that of the boxes one by one.
    """
    # Without most of the mean, sums of single precision are exact enough.
    planes = planar(centred(array)[None])[0]
    spectra = box_lines(planes, rows, columns, [one for one in plan.passes if isinstance(one, FullPass)])
    inside = np.zeros((planes.shape[-1], len(columns)), np.float32)
    for own, cut in zip(inside.T, columns, strict=True):
        own[cut] = 1 / plan.shape[1]
    along = (planes.reshape(-1, len(inside)) @ inside).reshape(*planes.shape[:2], -1)
    means = np.stack([along[band].mean(axis=0, dtype=np.float64).T for band in rows])
    passed = _of_ones(plan)[:, None] * means.reshape(-1, 1, means.shape[-1], 1).astype(np.float32)
    return np.asarray(spectra - passed, np.complex64)


@lru_cache(maxsize=16)
def _of_ones(plan: FrequencyPlan) -> NDArray[np.complex64]:
    """Return the eigencoefficients of a constant 1, (F, K)."""
    return np.asarray(eigenspectra(np.ones((1, *plan.shape, 1), np.float32), plan)[0, :, 0])


__all__ = ["box_spectra", "eigencoefficients", "eigenspectra", "like", "window_sums"]


def _contract(matrix: Any, data: Any, axis: int) -> Any:
    """Apply a complex matrix along one axis of real or complex data."""
    xp = array_namespace(data)
    moved = xp.moveaxis(data, axis, 0)
    flat = xp.reshape(moved, (moved.shape[0], -1))
    return xp.moveaxis(xp.reshape(_product(matrix, flat), (matrix.shape[0], *moved.shape[1:])), 0, axis)


def _product(matrix: Any, data: Any) -> Any:
    """Multiply a complex matrix with real or complex data, real and imaginary parts apart where it can be."""
    xp = array_namespace(data)
    if xp.isdtype(data.dtype, "complex floating"):
        return matrix @ data
    return xp.real(matrix) @ data + 1j * (xp.imag(matrix) @ data)


def _axial(arrays: Any, axial: AxialPass) -> Any:
    """Compute lines along one axis from the array summed along all others, (N, F, C, K)."""
    xp, ndim = array_namespace(arrays), arrays.ndim - 2
    data, n = arrays, arrays.shape[axial.axis + 1]
    others = [axis for axis in range(ndim) if axis != axial.axis]
    for gone, axis in enumerate(others):
        # Axes already summed are gone from the front, and their tapers are at the end.
        window = like(tapers(arrays.shape[axis + 1], ndim).values, arrays)
        data = xp.moveaxis(xp.tensordot(window, data, axes=((1,), (axis + 1 - gone,))), 0, -1)
    # Now (N, n, C, K of the others): tapered, and with zeros enough for whole periods.
    window = like(tapers(n, ndim).values, arrays)
    channels, rest = data.shape[2], data.shape[3:]
    flat = xp.reshape(data, (data.shape[0], 1, n, -1)) * window[None, :, :, None]
    zeros = xp.zeros(
        (*flat.shape[:2], max(axial.periods), flat.shape[3]), dtype=flat.dtype, device=device(flat)
    )
    flat = xp.concat([flat, zeros], axis=2)
    parts = []
    for period, numerators in zip(axial.periods, axial.numerators, strict=True):
        whole = -(-n // period)
        phases = xp.reshape(flat[:, :, : whole * period], (*flat.shape[:2], whole, period, -1))
        turn = like(_dft(period, numerators), arrays)
        folded = xp.sum(phases, axis=2)
        parts.append(_product(turn, folded))
    out = xp.concat(parts, axis=2)
    out = xp.reshape(out, (*out.shape[:3], channels, *rest))
    # (N, K, F, C, K of the others) -> (N, F, C, K_0, K_1, ...).
    order = [1 if axis == axial.axis else 4 + others.index(axis) for axis in range(ndim)]
    out = xp.permute_dims(out, (0, 2, 3, *order))
    return xp.reshape(out, (*out.shape[:3], -1))


def _low(small: Any, low: LowPass, shape: tuple[int, ...]) -> Any:
    """Compute few, low frequencies of many periods by direct sums over a shrunk array, (N, F, C, K)."""
    xp, ndim = array_namespace(small), small.ndim - 2
    count, channels = small.shape[0], small.shape[-1]
    data = xp.reshape(small, (1, 1, *small.shape))
    gain = np.ones((len(low.periods), 1), np.complex128)
    for axis in range(ndim):
        direct, response = _direct(small.shape[axis + 1], ndim, low.periods, low.numerators[axis], low.shrink)
        # (periods or 1, what is summed already, N, axis, rest) -> (periods, summed and this axis, N, rest).
        flat = xp.reshape(xp.moveaxis(data, 3, 2), (*data.shape[:2], data.shape[3], -1))
        flat = _product(like(direct, small)[:, None], flat)
        data = xp.reshape(flat, (flat.shape[0], -1, count, *data.shape[4:]))
        # Pixels that fill no block are left out: amplitudes stay those of the whole axis.
        whole = (shape[axis] / (small.shape[axis + 1] * low.shrink)) ** 0.5
        gain = (gain[:, :, None] * (whole * response)[:, None]).reshape(len(low.periods), -1)
    # (periods, A_0 K_0 A_1 K_1 ..., N, C) -> (N, periods, A_0 A_1 ..., C, K_0 K_1 ...).
    sizes = [(len(a), tapers(n, ndim).count) for a, n in zip(low.numerators, small.shape[1:-1], strict=True)]
    data = xp.reshape(data, (len(low.periods), *(n for pair in sizes for n in pair), count, channels))
    a, k = (tuple(range(first, 2 * ndim + 1, 2)) for first in (1, 2))
    data = xp.permute_dims(data, (2 * ndim + 1, 0, *a, 2 * ndim + 2, *k))
    data = xp.reshape(data, (count, -1, channels, int(np.prod([k for _, k in sizes]))))
    index = np.ravel_multi_index(tuple(low.bins.T), [len(low.periods), *(a for a, _ in sizes)])
    factors = gain.reshape(-1)[index].astype(np.complex64)
    return xp.take(data, like(index, small), axis=1) * like(factors, small)[None, :, None, None]


def _shrunk(arrays: Any, factor: int, ndim: int) -> Any:
    """Sum blocks of factor pixels per axis, scaled to keep the power of noise."""
    xp = array_namespace(arrays)
    # The last axis first: its rows are contiguous.
    for axis in range(ndim, 0, -1):
        moved = xp.moveaxis(arrays, axis, 0)
        whole = moved.shape[0] // factor * factor
        total = moved[0:whole:factor]
        for offset in range(1, factor):
            total = total + moved[offset:whole:factor]
        arrays = xp.moveaxis(total / factor**0.5, 0, axis)
    return arrays


@lru_cache(maxsize=64)
def _direct(
    n: int, ndim: int, periods: tuple[int, ...], numerators: tuple[int, ...], shrink: int
) -> tuple[NDArray[np.complex64], NDArray[np.complex128]]:
    """Return tapers shifted to each frequency, (periods, numerators K, n), and factors to undo `_shrunk`."""
    f = np.divide.outer(numerators, periods).T
    window = tapers(n, ndim).values
    turn = np.exp(-2j * np.pi * f[:, :, None] * shrink * np.arange(n))
    whole = (turn[:, :, None] * window).reshape(len(periods), -1, n).astype(np.complex64)
    return whole, 1 / np.exp(2j * np.pi * f[:, :, None] * np.arange(shrink)).mean(axis=-1)


@lru_cache(maxsize=512)
def _dft(period: int, numerators: tuple[int, ...]) -> NDArray[np.complex64]:
    angle = np.outer(numerators, np.arange(period)) % period / period
    return np.asarray(np.exp(-2j * np.pi * angle), np.complex64)
