"""Overlap of a layer or a chain of layers: exact path counts, and which periods are left at the end."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from functools import reduce

import numpy as np

from uncheck.errors import UncheckError
from uncheck.geometry.axis import (
    LIMIT,
    AxisSizes,
    Counts,
    axis_interior,
    axis_map,
    axis_pattern,
    axis_size,
    check_entries,
    count_dtype,
)
from uncheck.geometry.layer import Layer, Sizes, layer, output_size, per_axis
from uncheck.geometry.result import Overlap, Scale


def chain(layers: Sequence[Layer], input_size: Sizes | None = None) -> Overlap:
    """Count the paths from input to output of layers applied in order, every kernel full of ones.

    Transposed: c'[n] = sum_t c[(n + p - d t) / s] where s divides;  plain: c'[n] = sum_t c[s n + d t - p].

    Args:
        layers: one or more layers of the same number of axes, stride-1 layers included.
        input_size: input pixels per axis; by default the smallest that shows three interior periods.

    Returns:
        The overlap; taps_per_phase has the total period: the product of the strides if all are transposed.

    Raises:
        UncheckError: no layer, different numbers of axes, an empty output, or more than 2**24 entries.

    Cost: O(entries of the map), whatever the kernel sizes.
    Source: Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016.

    Examples:
        >>> layers = [Layer((k,), (2,), (0,), (0,), (1,)) for k in (4, 3)]
        >>> chain(layers).taps_per_phase
        (4, 2, 4, 2)
    """
    layers = tuple(layers)
    if not layers:
        raise UncheckError("a chain needs at least one layer, but none was given")
    ndim = layers[0].ndim
    for index, one in enumerate(layers):
        if one.ndim != ndim:
            raise UncheckError(
                f"layer {index} of the chain has {one.ndim} axes and layer 0 has {ndim}: give the same"
            )
    by_axis = [[one.along(axis) for one in layers] for axis in range(ndim)]
    dtype = count_dtype([one for axis in by_axis for one in axis])
    periods = [reduce(_carried, axis, 1) for axis in by_axis]
    check_entries(math.prod(periods), "the pattern of taps per phase")
    sizes = (
        _default_size(by_axis, periods) if input_size is None else per_axis("input_size", input_size, ndim)
    )
    final = sizes
    for one in layers:
        final = output_size(one, final)
    check_entries(math.prod(final), "the overlap map")
    patterns = [axis_pattern(axis, dtype) for axis in by_axis]
    if not all(pattern.any() for pattern in patterns):
        # no path reaches any pixel of one axis, hence none of the others
        patterns = [np.zeros_like(pattern) for pattern in patterns]
    taps = _outer([axis_map(axis, size, dtype) for axis, size in zip(by_axis, sizes, strict=True)])
    taps.flags.writeable = False
    least = math.prod(int(pattern.min()) for pattern in patterns)
    most = math.prod(int(pattern.max()) for pattern in patterns)
    return Overlap(
        taps_per_phase=_tuples(_outer(patterns).tolist()),
        taps=taps,
        ratio=_ratio(most, least),
        even=least == most,
        period=tuple(_smallest_period(pattern) for pattern in patterns),
        axis_taps=tuple(tuple(int(count) for count in pattern) for pattern in patterns),
        scales=_scales(layers, by_axis, patterns),
        layers=layers,
        input_size=tuple(sizes),
        interior=tuple(axis_interior(axis, size) for axis, size in zip(by_axis, sizes, strict=True)),
    )


def overlap(
    kernel_size: Sizes = 3,
    stride: Sizes = 2,
    ndim: int | None = None,
    *,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    dilation: Sizes = 1,
    input_size: Sizes | None = None,
) -> Overlap:
    """Count how many kernel taps of a transposed convolution each output pixel receives.

    Phase p of an axis gets the taps t with d t = p + padding mod s: all phases get the same number exactly
    when s divides k and d is coprime to s. Per axis the counts multiply.

    Args:
        kernel_size: taps, >= 1, one for all axes or one per axis.
        stride: upsampling factor, >= 1.
        ndim: number of axes, 1 to 3; taken from the sequences given, else 2.
        padding: pixels cropped at both ends of the output, >= 0.
        output_padding: pixels added at the end of the output.
        dilation: pixels between taps, >= 1.
        input_size: input pixels; by default the smallest that shows three whole periods of the interior.

    Returns:
        The overlap, with taps per phase, the map with borders, ratio and period.

    Raises:
        UncheckError: a size out of range, or more than 2**24 entries.

    Cost: O(entries of the map).
    Source: Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016.

    Example:
        >>> overlap(3, 2, 1).taps_per_phase
        (2, 1)
        >>> overlap(3, 2).ratio
        4.0
    """
    one = layer(kernel_size, stride, padding, output_padding, dilation, ndim=ndim)
    return chain([one], input_size)


def surviving_periods(overlap: Overlap | Sequence[Layer]) -> tuple[tuple[int, ...], ...]:
    """Give, per axis, every period P > 1 that the pattern still holds: a line at some a/P in lowest terms.

    With S_e[p] the sum of the pattern over n = p mod e, P is held if sum_{e | P} mu(P/e) e S_e[p mod e] != 0
    for some p: the part of the pattern with period P less that of all shorter ones; integers, no DFT.

    Args:
        overlap: the result of `overlap` or `chain`, or the layers of a chain.

    Returns:
        Per axis, the periods in output pixels, ascending; empty where the axis is even.

    Cost: O(period x number of its divisors).
    """
    result = overlap if isinstance(overlap, Overlap) else chain(overlap)
    return tuple(_held_periods(np.array(taps, dtype=object)) for taps in result.axis_taps)


def _default_size(by_axis: list[list[AxisSizes]], periods: list[int]) -> tuple[int, ...]:
    """Return the smallest input that shows three interior periods; fewer where three are too many."""
    sizes: tuple[int, ...] = ()
    for times in (3, 2, 1):
        sizes = tuple(
            _smallest_size(axis, times * period) for axis, period in zip(by_axis, periods, strict=True)
        )
        pixels = math.prod(_final_size(axis, size) for axis, size in zip(by_axis, sizes, strict=True))
        if pixels <= LIMIT:
            break
    return sizes


def _smallest_size(axis: list[AxisSizes], wanted: int) -> int:
    def shown(size: int) -> int:
        first, end = axis_interior(axis, size)
        return end - first

    high = 1
    while shown(high) < wanted:
        high *= 2
    return bisect_left(range(high), wanted, high // 2 + 1, key=shown)


def _final_size(axis: list[AxisSizes], size: int) -> int:
    return reduce(lambda pixels, one: axis_size(one, pixels), axis, size)


def _outer(vectors: list[Counts]) -> Counts:
    return reduce(np.multiply.outer, vectors)


def _tuples(nested: list[object]) -> tuple[object, ...]:
    return tuple(_tuples(entry) if isinstance(entry, list) else entry for entry in nested)


def _ratio(most: int, least: int) -> float:
    if most == least:
        return 1.0
    return most / least if least else math.inf


def _smallest_period(pattern: Counts) -> int:
    return next(p for p in _divisors(len(pattern)) if bool((pattern.reshape(-1, p) == pattern[:p]).all()))


def _divisors(number: int) -> list[int]:
    small = [d for d in range(1, math.isqrt(number) + 1) if number % d == 0]
    return small + [number // d for d in reversed(small) if d * d != number]


def _scales(
    layers: tuple[Layer, ...], by_axis: list[list[AxisSizes]], patterns: list[Counts]
) -> tuple[Scale, ...]:
    scales = []
    for index, one in enumerate(layers):
        if not one.transposed or max(one.stride) == 1:
            continue
        periods, axes, extremes = [], [], []
        for axis, pattern in zip(by_axis, patterns, strict=True):
            # without this layer the later ones repeat every `base` pixels, with it every `period` pixels
            base, period = 1, axis[index].stride
            for later in axis[index + 1 :]:
                base, period = _carried(base, later), _carried(period, later)
            periods.append(period)
            axes.append(_varies(pattern, period, base))
            own = axis_pattern([axis[index]], object)
            extremes.append((int(own.max()), int(own.min())))
        ratio = _ratio(math.prod(most for most, _ in extremes), math.prod(least for _, least in extremes))
        scales.append(Scale(index, tuple(periods), ratio, tuple(axes)))
    return tuple(scales)


def _carried(period: int, later: AxisSizes) -> int:
    return period * later.stride if later.transposed else period // math.gcd(period, later.stride)


def _varies(pattern: Counts, period: int, base: int) -> bool:
    """Test whether the pattern's part of this period is more than its part of the base period."""
    sums = pattern.astype(object).reshape(-1, period).sum(axis=0)
    coarse = sums.reshape(-1, base).sum(axis=0)
    return bool((sums * (period // base) != np.tile(coarse, period // base)).any())


def _held_periods(pattern: Counts) -> tuple[int, ...]:
    held = []
    for period in _divisors(len(pattern))[1:]:
        part = np.zeros(period, dtype=object)
        for shorter in _divisors(period):
            sign = _moebius(period // shorter)
            if sign:
                sums = pattern.reshape(-1, shorter).sum(axis=0)
                part = part + sign * shorter * np.tile(sums, period // shorter)
        if bool((part != 0).any()):
            held.append(period)
    return tuple(held)


def _moebius(number: int) -> int:
    sign, factor = 1, 2
    while factor * factor <= number:
        if number % factor == 0:
            number //= factor
            sign = -sign
            if number % factor == 0:
                return 0
        factor += 1
    return -sign if number > 1 else sign
