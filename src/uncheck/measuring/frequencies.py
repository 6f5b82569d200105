"""Which lattice frequencies there are to test, and to which period each belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.tapers import half_width, longest_period

#: Up to this period (by number of axes) every harmonic is tested. A longer one has so many that it is looked
#: for by its lowest harmonics and those along the axes; once found, all of its harmonics are measured.
ALL_HARMONICS = {1: 10**9, 2: 16, 3: 8}

#: Highest harmonic tested in every direction of the periods longer than that.
LOW_HARMONICS = 4


#: One frequency: (numerator, denominator) in lowest terms per axis.
FractionLine = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Base:
    """One pass over the picture: lattice frequencies a/s of `periods` (s per axis).

    Of the product of `numerators` (per axis) the lines at `bins` (F, ndim) are kept. `shrink` is the factor
    by which the picture may be shrunk before: all these frequencies lie below a quarter of the rate left.
    """

    periods: tuple[int, ...]
    numerators: tuple[tuple[int, ...], ...]
    bins: NDArray[np.intp]
    shrink: int


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


def plan(shape: tuple[int, ...], periods: Iterable[int], *, every: bool = False) -> Plan:
    """The frequencies to test on `shape` (pixels per axis) for `periods` (pixels, each at least 2).

    A line (a/s, b/s) belongs to the smallest period that explains it: (1/2, 1/2) belongs to period 2 also
    when it is computed among those of period 16. An axis too short for a period contributes only its mean
    along that axis (stripes along the other axes are still tested). `every` asks for all harmonics of
    long periods too.

    Cost: O(sum of s^ndim), for long periods O(sum of s), cached.
    """
    return _plan(tuple(shape), tuple(sorted(set(periods))), every)


@lru_cache(maxsize=128)
def _plan(shape: tuple[int, ...], periods: tuple[int, ...], every: bool) -> Plan:
    ndim = len(shape)
    longest = [longest_period(n, ndim) for n in shape]
    tested = tuple(p for p in periods if p <= max(longest))
    wanted = set(tested)
    seen: set[FractionLine] = set()
    bases: list[Base] = []
    rows: list[FractionLine] = []
    # Longest first: the frequencies of 16 contain those of 8, 4 and 2, so few passes serve all periods.
    for period in sorted(tested, reverse=True):
        axes = tuple(period if period <= n else _largest_divisor(period, n) for n in longest)
        for numerators, shrink in _passes(axes, every=every or period <= ALL_HARMONICS[ndim]):
            base, lines = _kept_lines(
                axes, numerators, lambda line: lcm(*(d for _, d in line)) in wanted, seen
            )
            if lines:
                bases.append(replace(base, shrink=shrink))
                rows += lines
    return _as_plan(shape, bases, rows, tested, tuple(p for p in periods if p not in wanted))


def _kept_lines(
    axes: tuple[int, ...],
    numerators: tuple[tuple[int, ...], ...],
    keep: Callable[[FractionLine], bool],
    seen: set[FractionLine],
) -> tuple[Base, list[FractionLine]]:
    """The lines of a product of numerators that `keep` wants, less those `seen` and conjugates."""
    bins: list[tuple[int, ...]] = []
    rows: list[FractionLine] = []
    for index in product(*(range(len(n)) for n in numerators)):
        picked = [n[i] for n, i in zip(numerators, index, strict=True)]
        line = tuple(_reduced(a % s, s) for a, s in zip(picked, axes, strict=True))
        mirror = tuple(_reduced(-a % s, s) for a, s in zip(picked, axes, strict=True))
        if line in seen or mirror in seen or all(d == 1 for _, d in line) or not keep(line):
            continue
        seen.add(line)
        bins.append(index)
        rows.append(line)
    # An axis of which only the mean is wanted needs no phases.
    short = tuple(1 if n == (0,) else s for n, s in zip(numerators, axes, strict=True))
    return Base(short, numerators, np.array(bins, np.intp).reshape(len(bins), len(axes)), 1), rows


def _as_plan(
    shape: tuple[int, ...],
    bases: list[Base],
    rows: list[FractionLine],
    tested: tuple[int, ...],
    not_tested: tuple[int, ...],
) -> Plan:
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
        not_tested=not_tested,
    )


def pair_plan(shape: tuple[int, ...], period: tuple[int, ...]) -> Plan:
    """The lines of one pattern of unequal periods that vary along two axes or more."""
    return _pair_plan(tuple(shape), tuple(period))


@lru_cache(maxsize=128)
def _pair_plan(shape: tuple[int, ...], period: tuple[int, ...]) -> Plan:
    numerators = (tuple(range(period[0] // 2 + 1)), *(tuple(range(s)) for s in period[1:]))
    base, rows = _kept_lines(period, numerators, lambda line: sum(d > 1 for _, d in line) > 1, set())
    return _as_plan(shape, [replace(base, shrink=1)] if len(base.bins) else [], rows, (), ())


def _passes(axes: tuple[int, ...], *, every: bool) -> Iterator[tuple[tuple[tuple[int, ...], ...], int]]:
    """Numerators per axis and the factor to shrink by; half of each plane, for the rest are conjugates."""
    if every:
        yield (tuple(range(axes[0] // 2 + 1)), *(tuple(range(s)) for s in axes[1:])), 1
        return
    for axis, s in enumerate(axes):
        yield tuple(tuple(range(s // 2 + 1)) if a == axis else (0,) for a in range(len(axes))), 1
    highest = [min(LOW_HARMONICS, s // 2) for s in axes]
    shrink = 1
    while all(4 * shrink * h < s for h, s in zip(highest, axes, strict=True) if s > 1):
        shrink *= 2
    first, *rest = highest
    yield (tuple(range(first + 1)), *(tuple(range(-h, h + 1)) for h in rest)), shrink


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
