"""Smoothing by the hold the slow way: one pixel, one path of holds at a time."""

from collections.abc import Sequence
from itertools import product

import numpy as np


def by_axis(x, axis, one_axis):
    """Apply a function of a list of numbers to every line of an array along one axis."""
    return np.apply_along_axis(lambda line: np.array(one_axis(list(line))), axis, x)


def hold_by_loops(x: np.ndarray, stride: Sequence[int], order: int) -> np.ndarray:
    """Mean over all sums of order + 1 numbers of 0 .. s-1, x (..., *size) with its end periods repeated."""
    for axis, s in enumerate(stride, start=x.ndim - len(stride)):
        x = by_axis(x, axis, lambda line, s=s: _line(line, s, order))
    return x


def _line(line: list[float], s: int, order: int) -> list[float]:
    taps = (order + 1) * (s - 1) + 1
    result = []
    for n in range(len(line)):
        ways = [sum(way) for way in product(range(s), repeat=order + 1)]
        result.append(sum(line[inside(n - taps // 2 + u, len(line), s)] for u in ways) / len(ways))
    return result


def inside(n: int, size: int, s: int) -> int:
    """Step by whole periods until inside."""
    while n < 0:
        n += s
    while n >= size:
        n -= s
    return n


def phase_means(x: np.ndarray, stride: Sequence[int], border: int) -> np.ndarray:
    """Mean of x (*size) per phase, (*stride), over whole periods that lie `border` periods or more inside."""
    sums = np.zeros(tuple(stride))
    counts = np.zeros(tuple(stride))
    for place in np.ndindex(*x.shape):
        whole = [n // s for n, s in zip(place, stride, strict=True)]
        last = [n // s - border for n, s in zip(x.shape, stride, strict=True)]
        if all(border <= w < e for w, e in zip(whole, last, strict=True)):
            phase = tuple(n % s for n, s in zip(place, stride, strict=True))
            sums[phase] += x[place]
            counts[phase] += 1
    return sums / counts


def unevenness(x: np.ndarray, stride: Sequence[int], border: int) -> float:
    """Largest distance of a phase's mean from the mean of all, relative to the root mean square of x."""
    means = phase_means(x, stride, border)
    return float(np.abs(means - means.mean()).max() / np.sqrt((x**2).mean()))
