"""A harmonic test for audio, whose loudness changes all the time: the lines are followed in slow time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray
from scipy.signal.windows import dpss
from scipy.special import fdtrc

#: Bins beside a line, in cycles per window, that tell how loud the sound around it is at that moment.
BESIDE = (-4, -3, -2, 2, 3, 4)

#: Samples from one window to the next, at least (where the audio is long enough), and most windows.
HOP = 512
MOST = 4096

#: Half-bandwidth of the slow tapers, in cycles per signal, at most.
HALF_BANDWIDTH = 25.0

#: Amplitude of what rounding leaves, relative to the loudest sample.
ROUNDING = 1e-7

#: Share of the noise that is assumed to be there in any case.
LEAST = 0.05

#: Frequencies and windows worked on at a time.
CHUNK = 64
ROWS = 256


@dataclass(frozen=True, eq=False)
class Found:
    """At F frequencies of C channels: `mean` (F, C) complex amplitude of exp(2 pi i f n), grey levels;
    `p_value` (F, C) of no line there.
    """

    mean: NDArray[np.complex128]
    p_value: NDArray[np.float64]


def line_frequencies(periods: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Numerators a and periods P of all lines a/P in lowest terms, 0 < a/P <= 1/2."""
    pairs = [(a, p) for p in periods for a in range(1, p // 2 + 1) if gcd(a, p) == 1]
    table = np.array(pairs, np.intp).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def hop_size(count: int, longest: int) -> int:
    """Samples from one window to the next; windows are twice as long."""
    return max(2 * longest, -(-count // MOST), min(HOP, count // 48))


def slow_test(values: NDArray[np.float32], frequencies: NDArray[np.float64], hop: int) -> Found:
    """Is there a line of constant amplitude, or of one that follows the sound around it?

    z_w(f) is the Fourier coefficient of Hann window w, in step with the samples, and s_w the root mean square
    of its neighbours in frequency. Divided by s_w the noise has the same power at all times, and a line of
    constant amplitude mu is mu h_w with h_w = 1 / s_w. Then Thomson's F-test runs over slow time: with
    Y_k = sum_w v_k[w] z_w / s_w and H_k = sum_w v_k[w] h_w,

        mu = sum_k H_k Y_k / sum_k H_k^2,   F = (K-1) |mu|^2 sum_k H_k^2 / sum_k |Y_k - mu H_k|^2

    is F(2, 2K-2) distributed where there is none, F(1, K-1) at the frequency 1/2. A line that follows the
    sound has h_w = 1; both are tried, at the price of a factor of two.

    Args:
        values: (n, C), grey levels, mean removed.
        frequencies: (F,) cycles per sample, 0 < f <= 1/2.
        hop: samples between windows, from `hop_size`.

    Cost: 28 n F C multiplications. Source: Thomson, Proc. IEEE 70 (1982), section XIII, for the stationary
    case.
    """
    shape = (len(frequencies), values.shape[1])
    mean, p_value = np.zeros(shape, np.complex128), np.ones(shape)
    for channel in range(values.shape[1]):
        samples = np.ascontiguousarray(values[:, channel])
        quiet = ROUNDING * float(np.abs(samples).max())
        if quiet == 0:
            continue
        for start in range(0, len(frequencies), CHUNK):
            part = slice(start, start + CHUNK)
            line, power = slow_spectra(samples, frequencies[part], hop)
            mean[part, channel], p_value[part, channel] = _f_test(
                line, power, quiet, np.asarray(frequencies[part] == 0.5)
            )
    return Found(mean, p_value)


def slow_spectra(
    samples: NDArray[np.float32], frequencies: NDArray[np.float64], hop: int
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """(W, F) coefficients z_w(f) of each window, in step with the samples, and (W, F) powers s_w(f)^2."""
    length = 2 * hop
    index = np.arange(length)
    window = (0.5 - 0.5 * np.cos(np.pi * index / hop)) / hop
    grid = (frequencies[:, None] + np.array([0, *BESIDE]) / length).ravel()
    turn = 2 * np.pi * np.outer(index, grid)
    waves = np.concatenate([np.cos(turn), -np.sin(turn)], axis=1) * window[:, None]
    waves = waves.astype(np.float32)
    pieces = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]
    # Overlapping windows are copied for the product, so only some at a time.
    out = np.concatenate([pieces[i : i + ROWS] @ waves for i in range(0, len(pieces), ROWS)])
    spectra = (out[:, : len(grid)] + 1j * out[:, len(grid) :]).reshape(len(pieces), len(frequencies), -1)
    step = np.exp(-2j * np.pi * np.outer(np.arange(len(pieces)) * hop, frequencies))
    power = (spectra[..., 1:].real ** 2 + spectra[..., 1:].imag ** 2).mean(axis=-1)
    return spectra[..., 0] * step, power.astype(np.float64)


def _f_test(
    line: NDArray[np.complex128], power: NDArray[np.float64], quiet: float, real: NDArray[np.bool_]
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    # The quietest quarter counts alike: a few silent windows must not decide alone.
    floor = np.maximum(np.quantile(power, 0.25, axis=0), quiet**2)
    loudness = np.sqrt(np.maximum(power, floor))
    tapers = _tapers(len(line))
    spectra = tapers @ (line / loudness)
    constant, p_constant = _line(spectra, tapers @ (1 / loudness), real)
    _, p_following = _line(spectra, np.repeat(tapers.sum(axis=1)[:, None], len(real), axis=1), real)
    mean = np.where(p_constant <= p_following, constant, line.mean(axis=0))
    return mean, np.minimum(1.0, 2 * np.minimum(p_constant, p_following))


def _line(
    spectra: NDArray[np.complex128], shape: NDArray[np.float64], real: NDArray[np.bool_]
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    k = len(spectra)
    energy = (shape**2).sum(axis=0)
    mean = (spectra * shape).sum(axis=0) / energy
    residual = (np.abs(spectra - mean * shape) ** 2).sum(axis=0) + k * LEAST
    statistic = (k - 1) * np.abs(mean) ** 2 * energy / residual
    order = np.where(real, 1, 2)
    return mean, np.asarray(fdtrc(order, order * (k - 1), statistic), np.float64)


@lru_cache(maxsize=16)
def _tapers(count: int) -> NDArray[np.float64]:
    half = min(HALF_BANDWIDTH, count / 6)
    return np.asarray(dpss(count, half, int(2 * half) - 2), np.float64)
