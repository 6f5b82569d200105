"""Exact path counts along one axis: the map with its borders, and the pattern without them.

A chain applied to ones with kernels of ones is separable, so one axis at a time is enough. Every sum over
taps is a running sum, so that the cost does not depend on the kernel size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError

Counts = NDArray[Any]
"""Integer array: int64, or Python integers (dtype object) where int64 could overflow."""

LIMIT = 2**24
"""Most entries of one pattern or map; more would exhaust the memory and could not be read anyway."""


class AxisSizes(NamedTuple):
    """The sizes of one layer along one axis."""

    kernel: int
    stride: int
    padding: int
    output_padding: int
    dilation: int
    transposed: bool

    @property
    def reach(self) -> int:
        """Pixels from the first to the last tap, less one."""
        return self.dilation * (self.kernel - 1)


def check_entries(entries: int, what: str) -> None:
    """Refuse arrays of more than LIMIT entries.

    Raises:
        UncheckError: entries > LIMIT.
    """
    if entries > LIMIT:
        raise UncheckError(
            f"{what} would have {_count(entries)} entries, more than {LIMIT}: lower stride, kernel or input"
        )


def _count(number: int) -> str:
    return str(number) if number < 10**15 else f"over 10^{len(str(number)) - 1}"


def count_dtype(layers: Sequence[AxisSizes]) -> type:
    """Return int64 where every count fits, else object (exact Python integers)."""
    return np.int64 if math.prod(layer.kernel for layer in layers) < 2**63 else object


def axis_size(layer: AxisSizes, size: int) -> int:
    """Return the output size of one layer along one axis; may be <= 0."""
    if layer.transposed:
        return (size - 1) * layer.stride - 2 * layer.padding + layer.reach + layer.output_padding + 1
    return (size + 2 * layer.padding - layer.reach - 1) // layer.stride + 1


def axis_map(layers: Sequence[AxisSizes], size: int, dtype: type) -> Counts:
    """Count the (input, tap, tap, ...) paths that end at each output pixel, borders included.

    Cost: O(pixels) per layer.
    """
    counts: Counts = np.ones(_checked(size), dtype=dtype)
    for layer in layers:
        if layer.transposed:
            spread: Counts = np.zeros(_checked((len(counts) - 1) * layer.stride + 1), dtype=dtype)
            spread[:: layer.stride] = counts
            out = axis_size(layer, len(counts))
            full = _box_sum(spread, layer.kernel, layer.dilation)[layer.padding : layer.padding + out]
            counts = np.concatenate([full, np.zeros(_checked(out) - len(full), dtype=dtype)])
        else:
            border: Counts = np.zeros(_checked(layer.padding), dtype=dtype)
            padded = np.concatenate([border, counts, border])
            sums = _box_sum(padded, layer.kernel, layer.dilation)
            counts = sums[layer.reach : len(padded) : layer.stride]
    return counts


def axis_pattern(layers: Sequence[AxisSizes], dtype: type) -> Counts:
    """Count the paths that end at each output pixel of an endless input; index = output index mod period.

    Returns:
        Array whose length is the period: the product of the transposed strides, divided by what plain strides
        take away.

    Cost: O(period) per layer.
    """
    counts: Counts = np.ones(1, dtype=dtype)
    for layer in layers:
        if layer.transposed:
            spread: Counts = np.zeros(_checked(len(counts) * layer.stride), dtype=dtype)
            spread[:: layer.stride] = counts
            sums = _periodic_box_sum(spread, layer.kernel, -layer.dilation)
            counts = np.roll(sums, -(layer.padding % len(sums)))
        else:
            sums = np.roll(
                _periodic_box_sum(counts, layer.kernel, layer.dilation), layer.padding % len(counts)
            )
            period = len(sums) // math.gcd(len(sums), layer.stride)
            counts = sums[(np.arange(period) * (layer.stride % len(sums))) % len(sums)]
    return counts


def axis_interior(layers: Sequence[AxisSizes], size: int) -> tuple[int, int]:
    """Return the half-open range of output pixels that no border reaches; empty as (x, x)."""
    first, last = 0, size - 1
    for layer in layers:
        size = axis_size(layer, size)
        if layer.transposed:
            first = (first - 1) * layer.stride + layer.reach + 1 - layer.padding
            last = (last + 1) * layer.stride - layer.padding - 1
        else:
            first = -((-first - layer.padding) // layer.stride)
            last = (last - layer.reach + layer.padding) // layer.stride
        first, last = max(first, 0), min(last, size - 1)
    return (first, last + 1) if last >= first else (first, first)


def _checked(entries: int) -> int:
    check_entries(entries, "the overlap map along one axis")
    return entries


def _box_sum(values: Counts, taps: int, step: int) -> Counts:
    """Sum values[n - step t] over t < taps, for all n where any term exists: length + step (taps - 1)."""
    length = _checked(len(values) + step * (taps - 1))
    step = min(step, length)
    rows = -(-length // step)
    table = np.zeros((rows, step), dtype=values.dtype)
    table.reshape(-1)[: len(values)] = values
    # int64 may wrap in the running sum, but differences are exact as long as the counts themselves fit
    sums = np.cumsum(table, axis=0)
    sums[taps:] = sums[taps:] - sums[:-taps].copy() if taps < rows else sums[taps:]
    return sums.reshape(-1)[:length]


def _periodic_box_sum(values: Counts, taps: int, step: int) -> Counts:
    """Sum values[(n + step t) mod period] over t < taps."""
    period = len(values)
    step %= period
    orbits = math.gcd(period, step)
    length = period // orbits
    order = (np.arange(orbits)[:, None] + step * np.arange(length)[None, :]) % period
    along = values[order]
    rounds, rest = divmod(taps, length)
    zeros = np.zeros((orbits, 1), dtype=values.dtype)
    sums = np.concatenate([zeros, np.cumsum(np.concatenate([along, along], axis=1), axis=1)], axis=1)
    partial = sums[:, rest : rest + length] - sums[:, :length]
    result = np.empty_like(values)
    result[order] = partial + rounds * sums[:, length : length + 1]
    return result
