"""A harmonic test for audio that follows lines in slow time, because loudness changes all the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal.windows import dpss, hann
from scipy.special import fdtrc

from uncheck.measuring.sound.grid import Grid

#: Bins beside a line, in cycles per window, that tell how loud the sound around it is at that moment.
BESIDE = (-4, -3, -2, 2, 3, 4)

#: Samples from one window to the next, at least (where the audio is long enough), and most windows.
HOP = 512
MOST_WINDOWS = 4096

#: Half-bandwidth of the slow tapers, in cycles per signal, at most.
HALF_BANDWIDTH = 25.0

#: Amplitude of what rounding leaves, relative to the loudest sample.
ROUNDING_LEVEL = 1e-6

#: Share of the noise that is assumed to be there in any case.
LEAST_NOISE = 0.05

#: Lines and windows worked on at a time.
LINES_AT_ONCE = 1024

#: Bytes that the spectra of all windows may take.
MOST_MEMORY = 2**29
WINDOWS_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class SlowLines:
    """At F frequencies of C channels: `mean` (F, C) complex amplitude of exp(2 pi i f n), grey levels;
    `p_value` (F, C) of no line there; `clarity` (F, C), the power of a constant line of mu = 1 over that of
    its noise in the test; `tapers`, K.
    """

    mean: NDArray[np.complex128]
    p_value: NDArray[np.float64]
    clarity: NDArray[np.float64]
    tapers: int


def line_frequencies(periods: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return numerators a and periods P of all lines a/P in lowest terms, 0 < a/P <= 1/2."""
    pairs = [(a, p) for p in periods for a in range(1, p // 2 + 1) if gcd(a, p) == 1]
    table = np.array(pairs, np.intp).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def hop_size(count: int, longest: int) -> int:
    """Return the samples from one window to the next; windows are twice as long."""
    return max(2 * longest, -(-count // MOST_WINDOWS), min(HOP, count // 48))


def slow_test(values: NDArray[np.float32], periods: Sequence[int], hop: int) -> SlowLines:
    """Test for lines of constant amplitude, and for lines that follow the sound around them.

    z_w(f) is the Fourier coefficient of Hann window w, in step with the samples, and s_w the root mean square
    of its neighbours in frequency. Divided by s_w the noise has the same power at all times, and a line of
    constant amplitude mu is mu h_w with h_w = 1 / s_w. Then Thomson's F-test runs over slow time: with
    Y_k = sum_w v_k[w] z_w / s_w and H_k = sum_w v_k[w] h_w,

        mu = sum_k H_k Y_k / sum_k H_k^2,   F = (K-1) |mu|^2 sum_k H_k^2 / sum_k |Y_k - mu H_k|^2

    is F(2, 2K-2) distributed where there is none, F(1, K-1) at the frequency 1/2. A line that follows the
    sound has h_w = 1; both are tried, at the price of a factor of two. Values are (n, C), mean removed; the
    lines are those of `line_frequencies`, in its order.

    Cost: 14 n complex additions per channel and period; for many periods (`Grid`) less, 170 multiplications
    for each line and window.
    Source: Thomson, Proc. IEEE 70 (1982), section XIII, for the stationary case.
    """
    means, p_values, clarities, tapers = [], [], [], 0
    grids = _grids(values, periods, hop)
    for group in _groups(periods):
        real = np.equal(*np.multiply(line_frequencies(group), [[2], [1]]))
        mean = np.zeros((len(real), values.shape[1]), np.complex128)
        p_value, clarity = np.ones(mean.shape), np.zeros(mean.shape)
        for channel in range(values.shape[1]):
            samples = np.ascontiguousarray(values[:, channel])
            quiet = ROUNDING_LEVEL * float(np.abs(samples).max())
            if quiet > 0:
                grid = grids[channel] if grids else None
                line, power = slow_spectra(samples, group, hop) if grid is None else _at(grid, group, hop)
                tested = _f_test(line, power, quiet, real)
                mean[:, channel], p_value[:, channel], clarity[:, channel] = tested
                tapers = len(_tapers(len(line)))
        means.append(mean)
        p_values.append(p_value)
        clarities.append(clarity)
    return SlowLines(np.concatenate(means), np.concatenate(p_values), np.concatenate(clarities), tapers)


def _groups(periods: Sequence[int]) -> list[list[int]]:
    """Split periods, in order, so that the lines of each part fit into memory."""
    groups: list[list[int]] = [[]]
    for period in periods:
        if groups[-1] and sum(groups[-1]) + period > 2 * LINES_AT_ONCE:
            groups.append([])
        groups[-1].append(period)
    return groups


def _grids(values: NDArray[np.float32], periods: Sequence[int], hop: int) -> list[Grid]:
    """Return the spectra of all windows of each channel where that is less work than folding for each period.

    That is where there are more lines than half of the frequencies of a window; none where memory is short.
    """
    lines = sum(p for p in periods) / 3
    if lines < hop / 2 or 32 * values.size > MOST_MEMORY:
        return []
    window = (hann(2 * hop, sym=False) / hop).astype(np.float32)
    return [Grid.of(np.ascontiguousarray(channel), window, hop) for channel in values.T]


def _at(grid: Grid, periods: Sequence[int], hop: int) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Return what `slow_spectra` does, from the spectra of all windows."""
    numerators, owners = line_frequencies(periods)
    f = numerators / owners
    line, *beside = grid.at(f, (0, *BESIDE))
    power = sum(one.real**2 + one.imag**2 for one in beside) / len(BESIDE)
    line = line.T
    step = np.exp(-2j * np.pi * np.outer(np.arange(len(line)) * hop, f))
    return line * step, np.asarray(power, np.float64).T


def slow_spectra(
    samples: NDArray[np.float32], periods: Sequence[int], hop: int
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Return coefficients z_w(f) of each window, in step with the samples, and powers s_w(f)^2, (W, F).

    The coefficients at a/P are those of the window folded to P samples; beside them, of the window turned by
    whole cycles before.
    """
    length = 2 * hop
    index = np.arange(length)
    window = (hann(length, sym=False) / hop).astype(np.float32)[:, None]
    numerators, owners = line_frequencies(periods)
    pieces = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]
    turns = [np.exp(-2j * np.pi * b * index / length).astype(np.complex64)[:, None] for b in BESIDE]
    lines, powers = [], []
    for start in range(0, len(pieces), WINDOWS_AT_ONCE):
        # One column per window: folding then adds long rows.
        columns = np.ascontiguousarray(pieces[start : start + WINDOWS_AT_ONCE].T) * window
        lines.append(_coefficients(columns, periods))
        beside = (_coefficients(columns * turn, periods) for turn in turns)
        powers.append(sum(c.real**2 + c.imag**2 for c in beside) / len(BESIDE))
    step = np.exp(-2j * np.pi * np.outer(np.arange(len(pieces)) * hop, numerators / owners))
    return np.concatenate(lines) * step, np.concatenate(powers).astype(np.float64)


def _coefficients(columns: NDArray[Any], periods: Sequence[int]) -> NDArray[np.complex64]:
    """Compute the coefficients at the lines of all periods, (R, F)."""
    folds: dict[int, NDArray[Any]] = {}
    for period in sorted(periods, reverse=True):
        multiple = next((q for q in folds if q % period == 0), None)
        source = columns if multiple is None else folds[multiple]
        whole = len(source) // period * period
        fold = source[:whole].reshape(-1, period, source.shape[1]).sum(axis=0)
        fold[: len(source) - whole] += source[whole:]
        folds[period] = fold
    parts = [np.fft.fft(folds[p], axis=0)[line_frequencies([p])[0]] for p in periods]
    return np.concatenate(parts).T.astype(np.complex64)


def _f_test(
    line: NDArray[np.complex128], power: NDArray[np.float64], quiet: float, real: NDArray[np.bool_]
) -> tuple[NDArray[np.complex128], NDArray[np.float64], NDArray[np.float64]]:
    # The quietest quarter counts alike: a few silent windows must not decide alone.
    floor = np.maximum(np.quantile(power, 0.25, axis=0), quiet**2)
    loudness = np.sqrt(np.maximum(power, floor))
    tapers = _tapers(len(line))
    spectra = tapers @ (line / loudness)
    constant, p_constant, clarity = _line(spectra, tapers @ (1 / loudness), real)
    _, p_following, _ = _line(spectra, np.repeat(tapers.sum(axis=1)[:, None], len(real), axis=1), real)
    mean = np.where(p_constant <= p_following, constant, line.mean(axis=0))
    return mean, np.minimum(1.0, 2 * np.minimum(p_constant, p_following)), clarity


def _line(
    spectra: NDArray[np.complex128], shape: NDArray[np.float64], real: NDArray[np.bool_]
) -> tuple[NDArray[np.complex128], NDArray[np.float64], NDArray[np.float64]]:
    k = len(spectra)
    energy = (shape**2).sum(axis=0)
    mean = (spectra * shape).sum(axis=0) / energy
    residual = (np.abs(spectra - mean * shape) ** 2).sum(axis=0) + k * LEAST_NOISE
    clarity = (k - 1) * energy / residual
    order = np.where(real, 1, 2)
    p_value = fdtrc(order, order * (k - 1), clarity * np.abs(mean) ** 2)
    return mean, np.asarray(p_value, np.float64), clarity


@lru_cache(maxsize=16)
def _tapers(count: int) -> NDArray[np.float64]:
    half = min(HALF_BANDWIDTH, count / 6)
    return np.asarray(dpss(count, half, int(2 * half) - 2), np.float64)
