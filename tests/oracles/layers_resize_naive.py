"""Resize, pad and convolve by loops over single pixels, in numpy: no torch, no kernels, no phases."""

import itertools
import math

import numpy as np


def source(mode: str, factor: int, j: int, n: int) -> list[tuple[int, float]]:
    """Which input pixels output pixel j is made of, with their weights."""
    if mode == "nearest":
        return [(j // factor, 1.0)]
    place = min(max((j + 0.5) / factor - 0.5, 0.0), n - 1.0)
    low = math.floor(place)
    return [(low, 1.0 - (place - low)), (min(low + 1, n - 1), place - low)]


def padded(j: int, n: int, mode: str) -> int | None:
    """Which pixel of a signal of n stands at place j, beyond its ends too; None for zero."""
    if 0 <= j < n:
        return j
    if mode == "zeros":
        return None
    if mode == "replicate":
        return min(max(j, 0), n - 1)
    if mode == "circular":
        return j % n
    period = 2 * (n - 1)
    return (n - 1) - abs(j % period - (n - 1))


def resize(x: np.ndarray, factor: tuple[int, ...], mode: str) -> np.ndarray:
    """x: (batch, channels, *size)."""
    for axis, s in enumerate(factor, start=2):
        n = x.shape[axis]
        parts = []
        for j in range(s * n):
            parts.append(sum(weight * x.take(i, axis) for i, weight in source(mode, s, j, n)))
        x = np.stack(parts, axis)
    return x


def pad(x: np.ndarray, padding: tuple[tuple[int, int], ...], mode: str) -> np.ndarray:
    for axis, (a, b) in enumerate(padding, start=2):
        n = x.shape[axis]
        parts = []
        for j in range(-a, n + b):
            place = padded(j, n, mode)
            parts.append(np.zeros_like(x.take(0, axis)) if place is None else x.take(place, axis))
        x = np.stack(parts, axis)
    return x


def convolve(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, dilation: tuple[int, ...], groups: int
) -> np.ndarray:
    out, inside, *k = weight.shape
    size = [n - d * (t - 1) for n, d, t in zip(x.shape[2:], dilation, k, strict=True)]
    y = np.zeros((x.shape[0], out, *size))
    for o in range(out):
        first = (o // (out // groups)) * inside
        for place in itertools.product(*map(range, k)):
            window = tuple(slice(t * d, t * d + n) for t, d, n in zip(place, dilation, size, strict=True))
            for i in range(inside):
                y[:, o] += weight[(o, i, *place)] * x[(slice(None), first + i, *window)]
        if bias is not None:
            y[:, o] += bias[o]
    return y


def resize_conv(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    factor: tuple[int, ...],
    mode: str,
    padding: tuple[tuple[int, int], ...],
    padding_mode: str,
    dilation: tuple[int, ...],
    groups: int,
) -> np.ndarray:
    """The two steps, pixel by pixel."""
    return convolve(pad(resize(x, factor, mode), padding, padding_mode), weight, bias, dilation, groups)
