"""Which lattice frequencies there are to test, and to which period each belongs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.tapers import half_width, longest_period


@dataclass(frozen=True, eq=False)
class Base:
    """One pass over the picture: all lattice frequencies of `periods` (per axis) at once.

    `bins` (F, ndim) are the frequencies a/s kept from this pass, as numerators.
    """

    periods: tuple[int, ...]
    bins: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Plan:
    """All frequencies of one shape and set of periods; conjugates and duplicates left out.

    Attributes:
        bases: the passes, whose `bins`, concatenated, are the frequencies in order.
        frequencies: (F, ndim) in cycles per pixel, 0 <= f < 1.
        denominators: (F, ndim) of the reduced fractions: the period of the line along each axis.
        family: (F,) the period each line belongs to, the least common multiple of its denominators.
        real: (F,) whether the line is its own conjugate (every component 0 or 1/2).
        half_width: of the band of a line, cycles per pixel, on the axis where it is widest.
        tested, not_tested: the periods that fit the shape, and those that do not.
    """

    bases: tuple[Base, ...]
    frequencies: NDArray[np.float64]
    denominators: NDArray[np.intp]
    family: NDArray[np.intp]
    real: NDArray[np.bool_]
    half_width: float
    tested: tuple[int, ...]
    not_tested: tuple[int, ...]


def plan(shape: tuple[int, ...], periods: Iterable[int]) -> Plan:
    """The frequencies to test on `shape` (pixels per axis) for `periods` (pixels, each at least 2).

    A line (a/s, b/s) belongs to the smallest period that explains it: (1/2, 1/2) belongs to period 2 also
    when it is computed among those of period 16. An axis too short for a period contributes only its mean
    along that axis (stripes along the other axes are still tested).

    Cost: O(sum of s^ndim), cached.
    """
    return _plan(tuple(shape), tuple(sorted(set(periods))))


@lru_cache(maxsize=64)
def _plan(shape: tuple[int, ...], periods: tuple[int, ...]) -> Plan:
    longest = [longest_period(n, len(shape)) for n in shape]
    tested = tuple(p for p in periods if p <= max(longest))
    wanted = set(tested)
    seen: set[tuple[tuple[int, int], ...]] = set()
    bases: list[Base] = []
    rows: list[tuple[tuple[int, int], ...]] = []
    # Longest first: the frequencies of 16 contain those of 8, 4 and 2, so few passes serve all periods.
    for period in sorted(tested, reverse=True):
        axes = tuple(period if period <= n else _largest_divisor(period, n) for n in longest)
        bins: list[tuple[int, ...]] = []
        for numerators in product(*(range(s) for s in axes)):
            line = tuple(_reduced(a, s) for a, s in zip(numerators, axes, strict=True))
            mirror = tuple(_reduced(-a % s, s) for a, s in zip(numerators, axes, strict=True))
            owner = lcm(*(d for _, d in line))
            if owner == 1 or owner not in wanted or line in seen or mirror in seen:
                continue
            seen.add(line)
            bins.append(numerators)
            rows.append(line)
        if bins:
            bases.append(Base(axes, np.array(bins, np.intp)))
    ndim = len(shape)
    table = np.array(rows, np.intp).reshape(len(rows), ndim, 2)
    denominators = table[:, :, 1]
    return Plan(
        bases=tuple(bases),
        frequencies=table[:, :, 0] / np.maximum(denominators, 1),
        denominators=denominators,
        family=np.lcm.reduce(denominators, axis=1) if len(rows) else np.zeros(0, np.intp),
        real=np.asarray((denominators <= 2).all(axis=1), np.bool_),
        half_width=max(half_width(n, ndim) for n in shape if n >= 4),
        tested=tested,
        not_tested=tuple(p for p in periods if p not in wanted),
    )


def checked_periods(periods: Iterable[int]) -> tuple[int, ...]:
    """`periods` as integers; UncheckError unless they are whole numbers from 2."""
    out = []
    for period in periods:
        try:
            whole = int(period)
        except (TypeError, ValueError, OverflowError):
            whole = 0
        if whole != period or whole < 2:
            raise UncheckError(f"period {period} cannot be tested; give whole numbers of pixels from 2")
        out.append(whole)
    return tuple(out)


def _reduced(numerator: int, denominator: int) -> tuple[int, int]:
    common = gcd(numerator, denominator)
    return numerator // common, denominator // common


def _largest_divisor(period: int, limit: int) -> int:
    return max(d for d in range(1, period + 1) if period % d == 0 and (d <= limit or d == 1))
