"""Thomson's harmonic F-test at every lattice frequency of a batch of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray
from scipy.special import fdtrc

from uncheck.measuring.eigenspectra import like

#: Up to this many channels are tested jointly (Hotelling); more are tested one by one.
JOINT_CHANNELS = 4

#: Tapers per channel that a joint test needs: with fewer, the covariance is too uncertain to gain from it.
JOINT_TAPERS = 4

#: Noise power below which a residual is rounding, in squared grey levels per eigencoefficient: keeps
#: exact synthetic lattices finite without hiding any that 8 bits could show.
ROUNDING_POWER = 1e-8


@dataclass(frozen=True, eq=False)
class Statistics:
    """F statistics of N arrays at F frequencies, in the library and on the device of the arrays.

    `mean` (N, F, C) complex: amplitude mu of exp(2 pi i f.n), grey levels. `each` (N, F, C): F statistic of
    each channel. `joint` (N, F): of all channels together, None if there is one or more than four. `clarity`
    (N, F): the power of a grey line of mu = 1 over that of its noise in the test.
    """

    mean: Any
    each: Any
    joint: Any | None
    clarity: Any


@dataclass(frozen=True, eq=False)
class LineTests:
    """Results of the test at F frequencies of C channels.

    `mean` (F, C) complex: amplitude mu of exp(2 pi i f.n), grey levels. `p_joint` (F,): p-value of a line in
    any combination of the channels. `p_channel` (F, C): p-value in each channel alone. `clarity` (F,): the
    power of a grey line of mu = 1 over that of its noise in the test. `tapers` (F,): K.
    """

    mean: NDArray[np.complex128]
    p_joint: NDArray[np.float64]
    p_channel: NDArray[np.float64]
    clarity: NDArray[np.float64]
    tapers: NDArray[np.float64]


def line_fit(spectra: Any, sums: NDArray[np.float64]) -> tuple[Any, Any, Any]:
    """Fit one line at each frequency: mu, the residual of each Y_k, and the power of that.

    mu = sum_k U_k Y_k / sum_k U_k^2;   residual_k = Y_k - mu U_k;   power = sum_k |residual_k|^2.

    Of spectra (N, F, C, K) and the sums of the tapers, (K,) or (F, K), NaN where a line has fewer: (N, F, C)
    complex, (N, F, C, K) complex, (N, F, C) real, at least what rounding leaves.
    """
    xp = array_namespace(spectra)
    energy, count = (
        like(one[:, None].astype(np.float32), spectra) for one in (line_energy(sums), line_tapers(sums))
    )
    weights = like(np.nan_to_num(np.atleast_2d(sums))[:, None].astype(np.float32), spectra)
    mean = xp.sum(spectra * weights, axis=-1) / energy
    residual = spectra - mean[..., None] * weights
    power = xp.sum(xp.real(residual) ** 2 + xp.imag(residual) ** 2, axis=-1) + count * ROUNDING_POWER
    return mean, residual, power


def line_energy(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sum_k U_k^2 of each line, (1,) or (F,), from (K,) or (F, K)."""
    return np.asarray(np.nansum(np.atleast_2d(sums) ** 2, axis=1))


def line_tapers(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the number of tapers of each line, (1,) or (F,), from (K,) or (F, K)."""
    return np.asarray(np.isfinite(np.atleast_2d(sums)).sum(axis=1), np.float64)


def statistics(spectra: Any, sums: NDArray[np.float64]) -> Statistics:
    """Compute amplitudes and F statistics of a line at each frequency against the spectrum around it.

    mu = sum_k U_k Y_k / sum_k U_k^2;   F = (K-1) |mu|^2 sum U_k^2 / sum_k |Y_k - mu U_k|^2.
    Several channels together: Hotelling's T^2 of the vector mu with the residual covariance of the channels.

    Cost: O(N F C^2 K). Source: Thomson, Proc. IEEE 70 (1982), section XIII; Hotelling (1931).
    """
    xp = array_namespace(spectra)
    channels = spectra.shape[2]
    energy, k = (like(one, spectra) for one in (line_energy(sums), line_tapers(sums)))
    mean, residual, power = line_fit(spectra, sums)
    each = ((k - 1) * energy)[:, None] * (xp.real(mean) ** 2 + xp.imag(mean) ** 2) / power
    if not joint_channels(channels, line_tapers(sums)).any():
        return Statistics(mean, each, None, (k - 1) * energy / xp.min(power, axis=-1))
    # Channels may be alike to the last bit: in double precision, with a floor well above its rounding, the
    # covariance stays positive definite.
    double = xp.astype(residual, xp.complex128)
    double = double @ xp.conj(xp.matrix_transpose(double))
    floor = xp.astype(k * ROUNDING_POWER + 1e-9 * xp.mean(power, axis=-1), xp.complex128)
    identity = like(np.eye(channels, dtype=np.complex128), spectra)
    wanted = xp.astype(mean, xp.complex128)
    both = xp.stack([wanted, xp.ones_like(wanted)], axis=-1)
    solved = xp.linalg.solve(double + floor[..., None, None] * identity, both)
    joint = energy * xp.real(xp.sum(xp.conj(wanted) * solved[..., 0], axis=-1)) * (k - channels) / channels
    return Statistics(mean, each, joint, (k - 1) * energy * xp.real(xp.sum(solved[..., 1], axis=-1)))


def joint_channels(channels: int, tapers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Test for lines of so many tapers whether their channels are tested together."""
    return np.asarray((channels > 1) & (channels <= JOINT_CHANNELS) & (tapers >= JOINT_TAPERS * channels))


def line_test(spectra: Any, sums: NDArray[np.float64], real: NDArray[np.bool_]) -> list[LineTests]:
    """Return p-values of `statistics`: F(2, 2K-2), or F(1, K-1) where the frequency is real.

    All channels together: F(2C, 2K-2C), or F(C, K-C) where real; with one or more than four channels the
    smallest p times their number. Channels without any variation have p = 1. One `LineTests` for each of the
    N arrays of the spectra (N, F, C, K).
    """
    found = statistics(spectra, sums)
    mean, each = to_numpy(found.mean).astype(np.complex128), to_numpy(found.each).astype(np.float64)
    channels, k = each.shape[2], np.broadcast_to(line_tapers(sums), len(real))
    p_channel = p_values(each, 1, real[:, None], k[:, None] - 1)
    p_joint = np.minimum(1.0, channels * p_channel.min(axis=-1, initial=1.0))
    if found.joint is not None:
        joint = to_numpy(found.joint).astype(np.float64)
        together = p_values(joint, channels, real, np.maximum(k - channels, 1))
        p_joint = np.where(joint_channels(channels, k), together, p_joint)
    clarity = to_numpy(found.clarity).astype(np.float64)
    return [LineTests(*one, k) for one in zip(mean, p_joint, p_channel, clarity, strict=True)]


def p_values(
    statistic: NDArray[np.float64], order: int, real: NDArray[np.bool_], freedom: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return the upper tail of F(2 order, 2 freedom), or of F(order, freedom) where `real`."""
    return np.asarray(np.minimum(np.exp(log_p_values(statistic, order, real, freedom)), 1.0), np.float64)


def log_p_values(
    statistic: NDArray[np.float64], order: int, real: NDArray[np.bool_], freedom: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return the logarithms of `p_values`, -inf where the tail is none.

    With even degrees of freedom it is a finite sum, x^b sum_j (b)_j / j! (1 - x)^j, x = b / (b + a F), which
    takes a tenth of the time of the incomplete beta function.
    """
    x = freedom / (freedom + order * np.maximum(statistic, 0.0))
    total = term = np.ones_like(x)
    for j in range(1, order):
        term = term * ((freedom + j - 1) / j) * (1 - x)
        total = total + term
    out = freedom * np.log(x) + np.log(total)
    real = np.broadcast_to(real, statistic.shape)
    if real.any():
        with np.errstate(divide="ignore"):
            out[real] = np.log(fdtrc(order, np.broadcast_to(freedom, statistic.shape)[real], statistic[real]))
    return np.asarray(out)


def to_numpy(values: Any) -> NDArray[Any]:
    """Return values as a NumPy array, off the device and without gradient."""
    return values if isinstance(values, np.ndarray) else np.asarray(values.detach().cpu())
