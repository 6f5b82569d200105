"""Thomson's harmonic F-test at every lattice frequency of a batch of arrays, in N dimensions.

Arrays may be of NumPy or of any library of the array API standard (PyTorch, on any device, differentiable).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray
from scipy.special import fdtrc

from uncheck.measuring.frequencies import Base, Plan
from uncheck.measuring.tapers import Tapers, tapers

#: Up to this many channels are tested jointly (Hotelling); more are tested one by one.
JOINT_CHANNELS = 4

#: Noise power below which a residual is rounding, in squared grey levels per eigencoefficient: keeps
#: exact synthetic lattices finite without hiding any that 8 bits could show.
ROUNDING = 1e-8


@dataclass(frozen=True, eq=False)
class Statistics:
    """F statistics of N arrays at F frequencies, in the library and on the device of the arrays.

    `mean` (N, F, C) complex: amplitude mu of exp(2 pi i f.n), grey levels. `each` (N, F, C): F statistic of
    each channel. `joint` (N, F): of all channels together, None if there is one or more than four.
    `tapers`: K.
    """

    mean: Any
    each: Any
    joint: Any | None
    tapers: int


@dataclass(frozen=True, eq=False)
class Lines:
    """What the test found at F frequencies of C channels.

    `mean` (F, C) complex: amplitude mu of exp(2 pi i f.n), grey levels. `p_joint` (F,): p-value of a line in
    any combination of the channels. `p_channel` (F, C): p-value in each channel alone.
    """

    mean: NDArray[np.complex128]
    p_joint: NDArray[np.float64]
    p_channel: NDArray[np.float64]


def eigenspectra(arrays: Any, plan: Plan) -> Any:
    """Tapered Fourier coefficients of `arrays` at the lattice frequencies of `plan`.

    Y_k(f) = sum_n u_k[n] x[n] exp(-2 pi i f.n), with u_k products of one DPSS per axis.

    Args:
        arrays: (N, *spatial, C) float32 or float64 grey levels, mean removed.
        plan: the frequencies.

    Returns:
        (N, F, C, K), K the number of tapers of all axes together, on the device of `arrays`.

    Cost: for each base period s one matrix product per axis, of the tapers restricted to one phase, and a
    DFT of length s; no FFT of the picture. Memory: K s / H of the picture.
    """
    xp = array_namespace(arrays)
    done: dict[Hashable, Any] = {}
    parts = [_low(arrays, base, done) if base.shrink > 1 else _all(arrays, base, done) for base in plan.bases]
    if not parts:
        return xp.zeros((arrays.shape[0], 0, arrays.shape[-1], 1), dtype=xp.complex64, device=device(arrays))
    return xp.concat(parts, axis=1)


def _all(arrays: Any, base: Base, done: dict[Hashable, Any]) -> Any:
    """(N, F, C, K): one base by phases, axis by axis.

    Axes of period 1 come first: what is left is small, and the same for every base (kept in `done`).
    """
    ndim, data = len(base.periods), arrays
    order = sorted(range(ndim), key=lambda axis: base.periods[axis] > 1)
    for count, axis in enumerate(order, 1):
        key = tuple(order[:count])
        if base.periods[axis] > 1:
            data = _tapered(data, axis, base.periods[axis], ndim)
        else:
            if key not in done:
                done[key] = _tapered(data, axis, 1, ndim)
            data = done[key]
    # Now (N, *periods, C, K of order[0], K of order[1], ...).
    xp = array_namespace(arrays)
    data = xp.permute_dims(data, (*range(ndim + 2), *(ndim + 2 + order.index(a) for a in range(ndim))))
    data = xp.reshape(data, (*data.shape[: ndim + 2], -1))
    # Fewest numerators first: the rest of the work shrinks most.
    for axis in sorted(range(ndim), key=lambda axis: len(base.numerators[axis]) / base.periods[axis]):
        turn = _dft(base.periods[axis], base.numerators[axis])
        data = _contract(_like(turn, arrays), data, axis + 1)
    return _kept(data, base)


def _low(arrays: Any, base: Base, done: dict[Hashable, Any]) -> Any:
    """(N, F, C, K): one base of few, low frequencies, from the shrunk picture, by direct sums."""
    xp, ndim = array_namespace(arrays), len(base.periods)
    if base.shrink not in done:
        done[base.shrink] = _shrunk(arrays, base.shrink, ndim)
    data = done[base.shrink]
    gain = np.ones(())
    for axis, (s, numerators) in enumerate(zip(base.periods, base.numerators, strict=True)):
        direct, response = _direct(data.shape[axis + 1], ndim, s, numerators, base.shrink)
        count = direct.shape[0] // len(numerators)
        data = _contract(_like(direct, arrays), data, axis + 1)
        shape = (*data.shape[: axis + 1], len(numerators), count, *data.shape[axis + 2 :])
        data = xp.moveaxis(xp.reshape(data, shape), axis + 2, -1)
        gain = np.multiply.outer(gain, response)
    data = xp.reshape(data, (*data.shape[: ndim + 2], -1))
    return _kept(data * _like(gain[None, ..., None, None].astype(np.complex64), arrays), base)


def _tapered(data: Any, axis: int, period: int, ndim: int) -> Any:
    """`data` (N, *spatial, C, ...) with spatial axis `axis` summed by phase, and a last axis of tapers."""
    xp = array_namespace(data)
    window = _like(tapers(data.shape[axis + 1], ndim).values, data)
    if axis == 0 and data.ndim == ndim + 2:
        flat = xp.reshape(data, (*data.shape[:2], -1))
        out = xp.stack([window[:, p::period] @ flat[:, p::period] for p in range(period)], axis=1)
        out = xp.reshape(out, (data.shape[0], period, window.shape[0], *data.shape[2:]))
        return xp.moveaxis(out, 2, -1)
    # The axis goes to the front, so that the rows of one phase are a plain stride.
    moved = xp.moveaxis(data, axis + 1, 0)
    flat = xp.reshape(moved, (moved.shape[0], -1))
    out = xp.stack([window[:, p::period] @ flat[p::period] for p in range(period)], axis=0)
    out = xp.reshape(out, (period, window.shape[0], *moved.shape[1:]))
    return xp.moveaxis(xp.moveaxis(out, 1, -1), 0, axis + 1)


def _contract(matrix: Any, data: Any, axis: int) -> Any:
    """A complex matrix applied along one axis of real or complex data."""
    xp = array_namespace(data)
    moved = xp.moveaxis(data, axis, 0)
    flat = xp.reshape(moved, (moved.shape[0], -1))
    if xp.isdtype(flat.dtype, "complex floating"):
        out = matrix @ flat
    else:
        out = xp.real(matrix) @ flat + 1j * (xp.imag(matrix) @ flat)
    return xp.moveaxis(xp.reshape(out, (matrix.shape[0], *moved.shape[1:])), 0, axis)


def _kept(data: Any, base: Base) -> Any:
    """The lines at `base.bins` of (N, *numerators, C, K), as (N, F, C, K)."""
    xp, ndim = array_namespace(data), len(base.periods)
    index = np.ravel_multi_index(tuple(base.bins.T), [len(n) for n in base.numerators])
    return xp.take(xp.reshape(data, (data.shape[0], -1, *data.shape[ndim + 1 :])), _like(index, data), axis=1)


def _shrunk(arrays: Any, factor: int, ndim: int) -> Any:
    """Sums over blocks of factor pixels per axis, scaled to keep the power of noise."""
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


@lru_cache(maxsize=512)
def _direct(
    n: int, ndim: int, period: int, numerators: tuple[int, ...], shrink: int
) -> tuple[NDArray[np.complex64], NDArray[np.complex128]]:
    """((len(numerators) K, n) tapers turned to each frequency, what undoes the sums of `_shrunk`)."""
    f = np.array(numerators) / period
    window = tapers(n, ndim).values
    turn = np.exp(-2j * np.pi * f[:, None] * shrink * np.arange(n))
    whole = (turn[:, None] * window).reshape(-1, n).astype(np.complex64)
    return whole, 1 / np.exp(2j * np.pi * np.outer(f, np.arange(shrink))).mean(axis=1)


@lru_cache(maxsize=512)
def _dft(period: int, numerators: tuple[int, ...]) -> NDArray[np.complex64]:
    angle = np.outer(numerators, np.arange(period)) % period / period
    return np.asarray(np.exp(-2j * np.pi * angle), np.complex64)


def _like(values: NDArray[Any], arrays: Any) -> Any:
    """`values` in the library, on the device and, floats, in the precision of `arrays`."""
    if isinstance(arrays, np.ndarray):
        return values
    xp = array_namespace(arrays)
    if values.dtype.kind in "fc":
        double = arrays.dtype in (xp.float64, xp.complex128)
        complex_, real = (np.complex128, np.float64) if double else (np.complex64, np.float32)
        values = values.astype(complex_ if values.dtype.kind == "c" else real, copy=False)
    return xp.asarray(values, device=device(arrays))


def window_sums(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """(K,) sums of the product tapers of all axes, in the order of `eigenspectra`."""
    windows: list[Tapers] = [tapers(n, len(shape)) for n in shape]
    return reduce(np.multiply.outer, [w.sums for w in windows]).ravel()


def line_fit(spectra: Any, sums: NDArray[np.float64]) -> tuple[Any, Any, Any]:
    """Least squares of one line at each frequency: mu, what it leaves of each Y_k, and the power of that.

    mu = sum_k U_k Y_k / sum_k U_k^2;   residual_k = Y_k - mu U_k;   power = sum_k |residual_k|^2.

    Args:
        spectra: (N, F, C, K) from `eigenspectra`.
        sums: (K,) from `window_sums`.

    Returns:
        (N, F, C) complex, (N, F, C, K) complex, (N, F, C) real, at least what rounding leaves.
    """
    xp = array_namespace(spectra)
    weights = _like(sums.astype(np.float32), spectra)
    mean = xp.sum(spectra * weights, axis=-1) / float((sums**2).sum())
    residual = spectra - mean[..., None] * weights
    power = xp.sum(xp.real(residual) ** 2 + xp.imag(residual) ** 2, axis=-1) + sums.size * ROUNDING
    return mean, residual, power


def statistics(spectra: Any, sums: NDArray[np.float64]) -> Statistics:
    """Amplitudes and F statistics of a line at exactly these frequencies, against the spectrum around them.

    mu = sum_k U_k Y_k / sum_k U_k^2;   F = (K-1) |mu|^2 sum U_k^2 / sum_k |Y_k - mu U_k|^2.
    Several channels together: Hotelling's T^2 of the vector mu with the residual covariance of the channels.

    Args:
        spectra: (N, F, C, K) from `eigenspectra`.
        sums: (K,) from `window_sums`.

    Cost: O(N F C^2 K). Source: Thomson, Proc. IEEE 70 (1982), section XIII; Hotelling (1931).
    """
    xp = array_namespace(spectra)
    channels, k = spectra.shape[2:]
    energy = float((sums**2).sum())
    mean, residual, power = line_fit(spectra, sums)
    each = (k - 1) * energy * (xp.real(mean) ** 2 + xp.imag(mean) ** 2) / power
    if channels == 1 or channels > JOINT_CHANNELS or k <= channels:
        return Statistics(mean, each, None, k)
    covariance = residual @ xp.conj(xp.matrix_transpose(residual))
    # Channels may be alike to the last bit: solved in double precision, with a floor well above its rounding.
    double = xp.astype(covariance, xp.complex128)
    floor = xp.astype(k * ROUNDING + 1e-9 * xp.mean(power, axis=-1), xp.complex128)
    identity = _like(np.eye(channels, dtype=np.complex128), spectra)
    wanted = xp.astype(mean, xp.complex128)
    solved = xp.linalg.solve(double + floor[..., None, None] * identity, wanted[..., None])[..., 0]
    joint = energy * xp.real(xp.sum(xp.conj(wanted) * solved, axis=-1)) * (k - channels) / channels
    return Statistics(mean, each, joint, k)


def line_test(spectra: Any, sums: NDArray[np.float64], real: NDArray[np.bool_]) -> list[Lines]:
    """p-values of `statistics`: F(2, 2K-2), or F(1, K-1) where the frequency is real.

    All channels together: F(2C, 2K-2C), or F(C, K-C) where real; with one or more than four channels the
    smallest p times their number. Channels without any variation have p = 1.

    Args:
        spectra: (N, F, C, K) from `eigenspectra`.
        sums: (K,) from `window_sums`.
        real: (F,) whether each frequency is its own conjugate.

    Returns:
        One `Lines` for each of the N arrays.
    """
    found = statistics(spectra, sums)
    mean, each = to_numpy(found.mean).astype(np.complex128), to_numpy(found.each).astype(np.float64)
    channels, k = each.shape[2], found.tapers
    p_channel = p_values(each, 1, real[:, None], k - 1)
    if found.joint is None:
        p_joint = np.minimum(1.0, channels * p_channel.min(axis=-1, initial=1.0))
    else:
        p_joint = p_values(to_numpy(found.joint).astype(np.float64), channels, real, k - channels)
    return [Lines(*one) for one in zip(mean, p_joint, p_channel, strict=True)]


def p_values(
    statistic: NDArray[np.float64], order: int, real: NDArray[np.bool_], freedom: int
) -> NDArray[np.float64]:
    """Upper tail of F(2 order, 2 freedom), or of F(order, freedom) where `real`.

    With even degrees of freedom it is a finite sum, x^b sum_j (b)_j / j! (1 - x)^j, x = b / (b + a F), which
    takes a tenth of the time of the incomplete beta function.
    """
    x = freedom / (freedom + order * np.maximum(statistic, 0.0))
    total = term = np.ones_like(x)
    for j in range(1, order):
        term = term * (freedom + j - 1) / j * (1 - x)
        total = total + term
    even = x**freedom * total
    real = np.broadcast_to(real, statistic.shape)
    if real.any():
        even[real] = fdtrc(order, freedom, statistic[real])
    return np.asarray(np.minimum(even, 1.0), np.float64)


def to_numpy(values: Any) -> NDArray[Any]:
    """`values` as a NumPy array, off the device and without gradient."""
    return values if isinstance(values, np.ndarray) else np.asarray(values.detach().cpu())
