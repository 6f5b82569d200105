"""The test of lines in slow time, window by window and frequency by frequency, in double precision."""

import cmath
import math

import numpy as np
from scipy.signal.windows import dpss
from scipy.special import betainc


def naive_window(samples, frequency, start, length):
    """Fourier coefficient of one Hann window, in step with the samples; a line A cos has A/2."""
    total = 0j
    for n in range(start, start + length):
        weight = math.sin(math.pi * (n - start) / length) ** 2 * 2 / length
        total += weight * float(samples[n]) * cmath.exp(-2j * math.pi * frequency * n)
    return total


def naive_slow(samples, frequency, hop):
    """z_w and s_w of all windows."""
    length = 2 * hop
    starts = range(0, len(samples) - length + 1, hop)
    line = [naive_window(samples, frequency, s, length) for s in starts]
    beside = [
        math.sqrt(
            sum(
                abs(naive_window(samples, frequency + b / length, s, length)) ** 2
                for b in (-4, -3, -2, 2, 3, 4)
            )
            / 6
        )
        for s in starts
    ]
    return np.array(line), np.array(beside)


def naive_p_value(line, beside, *, real, constant, floor_share, least):
    """The F-test by least squares of the tapered, levelled windows; tail by the incomplete beta function."""
    floor = np.sqrt(np.quantile(beside**2, floor_share))
    loudness = np.maximum(beside, floor)
    half = min(25.0, len(line) / 6)
    tapers = dpss(len(line), half, int(2 * half) - 2)
    model = 1 / loudness if constant else np.ones(len(line))
    got = np.array([sum(v * z / s for v, z, s in zip(t, line, loudness, strict=True)) for t in tapers])
    expected = np.array([float(t @ model) for t in tapers])
    (mean,), *_ = np.linalg.lstsq(expected[:, None].astype(complex), got, rcond=None)
    k = len(tapers)
    residual = sum(abs(g - mean * e) ** 2 for g, e in zip(got, expected, strict=True)) + k * least
    upper = 1 if real else 2
    lower = upper * (k - 1)
    statistic = (k - 1) * abs(mean) ** 2 * float(expected @ expected) / residual
    return mean, float(betainc(lower / 2, upper / 2, lower / (lower + upper * statistic)))
