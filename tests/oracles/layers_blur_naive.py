"""Blurred pooling and strided convolution the slow way: one output pixel, one tap at a time."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from oracles.layers_hold_naive import by_axis


def beyond(n: int, size: int, mode: str) -> int | None:
    """Pixel that stands for pixel n of an axis, or None for zero."""
    if mode == "zeros":
        return n if 0 <= n < size else None
    if mode == "circular":
        return n % size
    if mode == "replicate":
        return min(max(n, 0), size - 1)
    edge = 1 if mode == "symmetric" else 0
    while not 0 <= n < size:
        n = -n - edge if n < 0 else 2 * (size - 1) + edge - n
    return n


def blur_by_loops(x: np.ndarray, kernel_size: Sequence[int], stride: Sequence[int], mode: str) -> np.ndarray:
    """Average over all ways to step j holds and then r pairs, on x (..., *size)."""
    for axis, (k, s) in enumerate(zip(kernel_size, stride, strict=True), start=x.ndim - len(stride)):
        x = by_axis(x, axis, lambda line, k=k, s=s: _blurred(line, k, s, mode))
    return x


def _blurred(line: list[float], k: int, s: int, mode: str) -> list[float]:
    lengths = []
    left = k - 1
    while s > 1 and left >= s - 1:
        lengths.append(s)
        left -= s - 1
    lengths += [2] * left
    ways = [sum(way) for way in product(*map(range, lengths))]
    start = -((k - s + 1) // 2)
    result = []
    for i in range(0, len(line), s):
        places = [beyond(i + start + u, len(line), mode) for u in ways]
        result.append(sum(0.0 if place is None else line[place] for place in places) / len(ways))
    return result


def max_by_loops(x: np.ndarray, kernel_size: Sequence[int], padding: Sequence[int], dilation: Sequence[int]):
    """Maximum at stride 1, on x (..., *size)."""
    for axis, (k, p, d) in enumerate(
        zip(kernel_size, padding, dilation, strict=True), start=x.ndim - len(kernel_size)
    ):

        def one(line, k=k, p=p, d=d):
            count = len(line) + 2 * p - d * (k - 1)
            places = [[n - p + d * t for t in range(k)] for n in range(count)]
            return [max(line[q] for q in row if 0 <= q < len(line)) for row in places]

        x = by_axis(x, axis, one)
    return x


def strided_by_loops(x, weight, bias, stride, padding, dilation, groups, mode, order) -> np.ndarray:
    """Convolve x (batch, in, *size) with W and, before it, `order` holds of the stride on every axis."""
    ndim = len(stride)
    counts, starts = [], []
    for axis in range(ndim):
        k, s, p, d = weight.shape[2 + axis], stride[axis], padding[axis], dilation[axis]
        size = x.shape[2 + axis]
        counts.append((size + 2 * p - d * (k - 1) - 1) // s + 1)
        more = order * (s - 1)
        # the split of the additional padding whose centre is nearer the middle of s pixels; else more before
        splits = [(more - more // 2), more // 2]
        starts.append(-p - min(splits, key=lambda b: abs((d * (k - 1) + more) / 2 - p - b - (s - 1) / 2)))
    out_group, in_group = weight.shape[0] // groups, weight.shape[1]
    result = np.zeros((x.shape[0], weight.shape[0], *counts))
    steps = list(product(*(product(range(s), repeat=order) for s in stride)))
    for place in np.ndindex(*result.shape):
        batch, out, *pixel = place
        total = 0.0 if bias is None else float(bias[out])
        for channel in range(in_group):
            source = x[batch, out // out_group * in_group + channel]
            for tap in np.ndindex(*weight.shape[2:]):
                seen = 0.0
                for step in steps:
                    at = [
                        beyond(
                            stride[a] * pixel[a] + starts[a] + dilation[a] * tap[a] + sum(step[a]),
                            source.shape[a],
                            mode,
                        )
                        for a in range(ndim)
                    ]
                    seen += 0.0 if None in at else source[tuple(at)]
                total += weight[(out, channel, *tap)] * seen / len(steps)
        result[place] = total
    return result
