"""Slow, explicit forms of what a student is trained towards."""

from __future__ import annotations

import math
from itertools import product

import numpy as np


def ripple_naive(picture: np.ndarray, period: int) -> np.ndarray:
    """Loops over pixels: detail under a triangle, weighted by Hann's window, averaged per phase.

    Args:
        picture: (*spatial), one channel.

    Returns:
        (*(period,) * ndim), less its mean.
    """
    ndim = picture.ndim
    triangle = [period - abs(d) for d in range(1 - period, period)]
    inner = [(n - 2 * period) // period * period for n in picture.shape]
    sums, weights = np.zeros((period,) * ndim), np.zeros((period,) * ndim)
    for place in product(*map(range, inner)):
        mean = 0.0
        for step in product(range(1 - period, period), repeat=ndim):
            share = math.prod(triangle[d + period - 1] for d in step) / period ** (2 * ndim)
            mean += share * picture[tuple(p + period + d for p, d in zip(place, step, strict=True))]
        detail = picture[tuple(p + period for p in place)] - mean
        window = math.prod(math.sin(math.pi * (p + 0.5) / n) ** 2 for p, n in zip(place, inner, strict=True))
        phase = tuple(p % period for p in place)
        sums[phase] += window * detail
        weights[phase] += 1
    mean_window = math.prod(sum(math.sin(math.pi * (p + 0.5) / n) ** 2 for p in range(n)) / n for n in inner)
    means = sums / weights / mean_window
    return means - means.mean()


def spun_naive(network, picture: np.ndarray, place, size, period: int, edges) -> np.ndarray:
    """Each output pixel's mean over all cut-outs that start up to period - 1 pixels before `place`.

    Args:
        network: from (*spatial) to (*spatial), numpy.
        picture: (*spatial).
        place: where the last cut-out starts.
        size: of a cut-out.
        edges: pixels per axis that are no target.

    Returns:
        The mean outputs from pixel place + edges of the picture on.
    """
    ndim = picture.ndim
    inner = [n - period - 2 * e for n, e in zip(size, edges, strict=True)]
    total = np.zeros(inner)
    for start in product(*(range(p - period + 1, p + 1) for p in place)):
        made = network(picture[tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))])
        for pixel in product(*map(range, inner)):
            there = tuple(p + e + q - a for p, e, q, a in zip(place, edges, pixel, start, strict=True))
            total[pixel] += made[there]
    return total / period**ndim
