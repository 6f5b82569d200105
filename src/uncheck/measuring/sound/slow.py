"""A harmonic test for audio that follows lines in slow time, because loudness changes all the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from uncheck.measuring.sound.grid import Grid
from uncheck.measuring.tapers import slepian

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

#: Points per cycle of a window at which it is told how loud a sound is.
FINE = 8

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


#: z_w (W, F), 1 / s_w (W, F) and H_k (K, F) of F lines.
Weighed = tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]


def line_frequencies(periods: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return numerators a and periods P of all lines a/P in lowest terms, 0 < a/P <= 1/2."""
    parts = [_numerators(p) for p in periods]
    owners = np.repeat(np.asarray(periods, np.intp), [len(part) for part in parts])
    return np.concatenate([np.empty(0, np.intp), *parts]), owners


@lru_cache(maxsize=8192)
def _numerators(period: int) -> NDArray[np.intp]:
    all_of_them = np.arange(1, period // 2 + 1)
    return np.asarray(all_of_them[np.gcd(all_of_them, period) == 1])


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

    Cost: 14 n complex additions per channel and period; for many periods (`Whole`) less, some 30 + K
    multiplications for each line and window.
    Source: Thomson, Proc. IEEE 70 (1982), section XIII, for the stationary case.
    """
    shape = (len(line_frequencies(periods)[0]), values.shape[1])
    mean, p_value = np.zeros(shape, np.complex128), np.ones(shape)
    clarity, tapers = np.zeros(shape), 0
    for channel in range(values.shape[1]):
        samples = np.ascontiguousarray(values[:, channel])
        quiet = ROUNDING_LEVEL * float(np.abs(samples).max())
        if quiet == 0:
            continue
        whole = _whole(samples, periods, hop, quiet)
        done = 0
        for group in _groups(periods):
            owners = line_frequencies(group)[1]
            line, weight, weights = _folded(samples, group, hop, quiet) if whole is None else whole.at(group)
            own = slice(done, done := done + len(owners))
            tested = _f_test(line, weight, weights, owners == 2)
            mean[own, channel], p_value[own, channel], clarity[own, channel] = tested
            tapers = len(_tapers(len(line)))
    return SlowLines(mean, p_value, clarity, tapers)


def _groups(periods: Sequence[int]) -> list[list[int]]:
    """Split periods, in order, so that the lines of each part fit into memory."""
    groups: list[list[int]] = [[]]
    for period in periods:
        if groups[-1] and sum(groups[-1]) + period > 2 * LINES_AT_ONCE:
            groups.append([])
        groups[-1].append(period)
    return groups


@dataclass(frozen=True, eq=False)
class Whole:
    """The spectra of all W windows of a sound: `grid`; `weight` (W, J) float32, 1 / s_w at the frequencies
    j / `per_cycle` up to 1/2; `weights` (K, J), their tapered sums H_k.
    """

    grid: Grid
    hop: int
    per_cycle: int
    weight: NDArray[np.float32]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, samples: NDArray[np.float32], hop: int, quiet: float) -> Whole:
        """Transform all windows, and measure how loud they are at every frequency."""
        length = 2 * hop
        grid = Grid.of(samples, (periodic_hann(length) / hop).astype(np.float32), hop)
        # Within 1/16 of a cycle per window, the next line leaks 2e-5 of its power.
        per_cycle = FINE * length
        f = np.arange(per_cycle // 2 + 1) / per_cycle
        power = sum(one.real**2 + one.imag**2 for one in grid.at(f, BESIDE)) / len(BESIDE)
        weight = _weight(np.asarray(power, np.float64).T, quiet)
        return cls(grid, hop, per_cycle, weight.astype(np.float32), _tapers(len(weight)) @ weight)

    def at(self, periods: Sequence[int]) -> Weighed:
        """Return what `_folded` does."""
        f = np.divide(*line_frequencies(periods))
        (line,) = self.grid.at(f, (0,))
        turned = _turns(-2j * np.pi * self.hop * f, len(self.weight))
        near = np.rint(f * self.per_cycle).astype(np.intp)
        return line.T * turned, self.weight[:, near], self.weights[:, near]


def _turns(angle: NDArray[np.complex128], count: int) -> NDArray[np.complex64]:
    """Return exp(angle w) for w below `count`, (count, F), of sixteen fine steps and as many coarse ones."""
    fine = np.exp(np.multiply.outer(np.arange(16), angle)).astype(np.complex64)
    coarse = np.exp(np.multiply.outer(np.arange(0, count, 16), angle)).astype(np.complex64)
    return (coarse[:, None] * fine).reshape(-1, len(angle))[:count]


def _whole(samples: NDArray[np.float32], periods: Sequence[int], hop: int, quiet: float) -> Whole | None:
    """Return the spectra of all windows where that is less work than folding for each period.

    That is where there are more lines than half of the frequencies of a window; None where memory is short.
    """
    lines = sum(periods) / 3
    return None if lines < hop / 2 or 32 * samples.size > MOST_MEMORY else Whole.of(samples, hop, quiet)


def _folded(samples: NDArray[np.float32], periods: Sequence[int], hop: int, quiet: float) -> Weighed:
    """Return z_w and 1 / s_w, (W, F), and H_k, (K, F), of windows folded for each period."""
    line, power = slow_spectra(samples, periods, hop)
    weight = _weight(power, quiet)
    return line, weight, _tapers(len(line)) @ weight


def _weight(power: NDArray[np.float64], quiet: float) -> NDArray[np.float64]:
    # The quietest quarter counts alike: a few silent windows must not decide alone.
    floor = np.maximum(np.quantile(power, 0.25, axis=0), quiet**2)
    return np.asarray(1 / np.sqrt(np.maximum(power, floor)))


def periodic_hann(n: int) -> NDArray[np.float64]:
    """Return a Hann window whose copies, half a window apart, add up to 1."""
    return np.asarray(np.sin(np.pi * np.arange(n) / n) ** 2)


def slow_spectra(
    samples: NDArray[np.float32], periods: Sequence[int], hop: int
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Return coefficients z_w(f) of each window, in step with the samples, and powers s_w(f)^2, (W, F).

    The coefficients at a/P are those of the window folded to P samples; beside them, of the window turned by
    whole cycles before.
    """
    length = 2 * hop
    index = np.arange(length)
    window = (periodic_hann(length) / hop).astype(np.float32)[:, None]
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
    line: NDArray[Any], weight: NDArray[Any], weights: NDArray[np.float64], real: NDArray[np.bool_]
) -> tuple[NDArray[np.complex128], NDArray[np.float64], NDArray[np.float64]]:
    tapers = _tapers(len(line))
    weighed = np.ascontiguousarray(line * weight)
    # Real and imaginary parts side by side: half the work of complex tapers.
    parts = weighed.view(weighed.real.dtype)
    spectra = (tapers.astype(parts.dtype, copy=False) @ parts).view(weighed.dtype).astype(np.complex128)
    constant, p_constant, clarity = _line(spectra, weights, real)
    _, p_following, _ = _line(spectra, tapers.sum(axis=1)[:, None], real)
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
    return np.asarray(slepian(count, half, int(2 * half) - 2), np.float64)
