"""Thomson's harmonic F-test at every lattice frequency of a picture, in N dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from uncheck.measuring.frequencies import Plan
from uncheck.measuring.tapers import Tapers, tapers

#: Up to this many channels are tested jointly (Hotelling); more are tested one by one.
JOINT_CHANNELS = 4

#: Noise power below which a residual is rounding, in squared grey levels per eigencoefficient: keeps
#: exact synthetic lattices finite without hiding any that 8 bits could show.
ROUNDING = 1e-8


@dataclass(frozen=True, eq=False)
class Lines:
    """What the test found at F frequencies of C channels.

    `mean` (F, C) complex: amplitude mu of exp(2 pi i f.n), grey levels. `p_joint` (F,): p-value of a line in
    any combination of the channels. `p_channel` (F, C): p-value in each channel alone.
    """

    mean: NDArray[np.complex128]
    p_joint: NDArray[np.float64]
    p_channel: NDArray[np.float64]


def eigenspectra(array: NDArray[np.float32], plan: Plan) -> NDArray[np.complex128]:
    """Tapered Fourier coefficients of `array` at the lattice frequencies of `plan`.

    Y_k(f) = sum_n u_k[n] x[n] exp(-2 pi i f.n), with u_k products of one DPSS per axis.

    Args:
        array: (*spatial, C) grey levels, mean removed.
        plan: the frequencies.

    Returns:
        (F, C, K), K the number of tapers of all axes together.

    Cost: for each base period s one matrix product per axis, of the tapers restricted to one phase, and a
    DFT of length s; no FFT of the picture. Memory: K s / H of the picture.
    """
    parts = []
    for base in plan.bases:
        spectra = _phase_spectra(array, base.periods)
        parts.append(spectra[tuple(base.bins.T)])
    if not parts:
        return np.zeros((0, array.shape[-1], 1), np.complex128)
    return np.concatenate(parts)


def _phase_spectra(array: NDArray[np.float32], periods: tuple[int, ...]) -> NDArray[np.complex128]:
    """(*periods, C, K): eigenspectra at all frequencies a/s, b/s, ... of one base."""
    ndim = len(periods)
    s, first = periods[0], tapers(array.shape[0], ndim)
    rest = array.shape[1:]
    flat = array.reshape(array.shape[0], -1)
    # Axis 0: (s, K, rest). Rows of one phase times the tapers at that phase.
    data = np.stack([first.values[:, p::s] @ flat[p::s] for p in range(s)])
    data = data.reshape(s, first.count, *rest)
    for axis in range(1, ndim):
        # data: (s_0, K_0, ..., N_axis, ..., C) -> contract N_axis into (s_axis, K_axis).
        s, window = periods[axis], tapers(array.shape[axis], ndim)
        moved = np.moveaxis(data, 2 * axis, -1)
        flat = np.ascontiguousarray(moved).reshape(-1, array.shape[axis])
        out = np.stack([flat[:, p::s] @ window.values[:, p::s].T for p in range(s)], axis=1)
        out = out.reshape(*moved.shape[:-1], s, window.count)
        data = np.moveaxis(out, (-2, -1), (2 * axis, 2 * axis + 1))
    phases, ks = tuple(range(0, 2 * ndim, 2)), tuple(range(1, 2 * ndim, 2))
    data = np.transpose(data, (*phases, 2 * ndim, *ks)).astype(np.float64)
    data = data.reshape(*periods, array.shape[-1], -1)
    return np.fft.fftn(data, axes=tuple(range(ndim)))


def window_sums(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """(K,) sums of the product tapers of all axes, in the order of `eigenspectra`."""
    windows: list[Tapers] = [tapers(n, len(shape)) for n in shape]
    return reduce(np.multiply.outer, [w.sums for w in windows]).ravel()


def line_test(spectra: NDArray[np.complex128], sums: NDArray[np.float64], real: NDArray[np.bool_]) -> Lines:
    """Is there a line at exactly these frequencies, against the spectrum right around them?

    mu = sum_k U_k Y_k / sum_k U_k^2;   F = (K-1) |mu|^2 sum U_k^2 / sum_k |Y_k - mu U_k|^2,
    F(2, 2K-2), or F(1, K-1) where the frequency is real. Several channels: Hotelling's T^2 of the vector
    mu with the residual covariance of the channels, F(2C, 2K-2C), or F(C, K-C) where real.

    Args:
        spectra: (F, C, K) from `eigenspectra`.
        sums: (K,) from `window_sums`.
        real: (F,) whether each frequency is its own conjugate.

    Returns:
        `Lines`; channels without any variation have p = 1.

    Cost: O(F C^2 K). Source: Thomson, Proc. IEEE 70 (1982), section XIII; Hotelling (1931).
    """
    count, channels, k = spectra.shape
    energy = float((sums**2).sum())
    mean = spectra @ sums / energy
    residual = spectra - mean[..., None] * sums
    power = (residual.real**2 + residual.imag**2).sum(-1) + k * ROUNDING
    signal = energy * (mean.real**2 + mean.imag**2)
    p_channel = _p_value((k - 1) * signal / power, np.ones(count), real[:, None], k - 1)
    if channels == 1 or channels > JOINT_CHANNELS or k <= channels:
        p_joint = np.minimum(1.0, channels * p_channel.min(axis=1, initial=1.0))
        return Lines(mean, p_joint, p_channel)
    covariance = residual @ residual.conj().swapaxes(1, 2)
    covariance += np.eye(channels) * (k * ROUNDING + 1e-9 * power.mean(axis=1))[:, None, None]
    solved = np.linalg.solve(covariance, mean[..., None])[..., 0]
    statistic = energy * (mean.conj() * solved).sum(-1).real * (k - channels) / channels
    p_joint = _p_value(statistic[:, None], np.full(count, channels), real[:, None], k - channels)[:, 0]
    return Lines(mean, p_joint, p_channel)


def _p_value(
    statistic: NDArray[np.float64], order: NDArray[np.float64], real: NDArray[np.bool_], freedom: int
) -> NDArray[np.float64]:
    upper = np.where(real, 1, 2) * order[:, None]
    lower = np.where(real, 1, 2) * freedom
    return np.asarray(fdtrc(upper, lower, statistic), np.float64)
