"""The lattice frequencies to test, and the period each belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import combinations, product
from math import gcd, lcm, prod

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.passes import AxialPass, FrequencyPlan, FullPass, LowPass, Profile
from uncheck.measuring.tapers import half_width, longest_period, window_sums

#: Up to this period (by number of axes) every harmonic is tested. A longer one has so many that it is looked
#: for by its lowest harmonics and those along the axes; once found, all of its harmonics are measured.
ALL_HARMONICS = {1: 10**9, 2: 16, 3: 8}

#: Highest harmonic tested in every direction of the periods longer than that.
LOW_HARMONICS = 3

#: One frequency: (numerator, denominator) in lowest terms per axis.
FractionLine = tuple[tuple[int, int], ...]


def plan(
    shape: tuple[int, ...],
    periods: Iterable[int],
    *,
    every: bool = False,
    within: tuple[int, ...] | None = None,
) -> FrequencyPlan:
    """List the frequencies to test on `shape` (pixels per axis) for `periods` (pixels, each at least 2).

    A line (a/s, b/s) belongs to the smallest period that explains it: (1/2, 1/2) belongs to period 2 also
    when it is computed among those of period 16. An axis too short for a period contributes only its mean
    along that axis (stripes along the other axes are still tested). `every` asks for all harmonics of
    long periods too. `within` (pixels per axis) keeps lines whose period divides it on every axis: fewer
    tests, where it is known what can be there. Periods of which it leaves no line are not tested.

    Cost: O(sum of s^ndim), for long periods O(sum of s), cached.
    """
    if within is not None and len(within) != len(shape):
        raise ValueError(f"{len(within)} limits for {len(shape)} axes")
    return _plan(tuple(shape), tuple(sorted(set(periods))), every, within and tuple(within))


@lru_cache(maxsize=128)
def _plan(
    shape: tuple[int, ...], periods: tuple[int, ...], every: bool, within: tuple[int, ...] | None
) -> FrequencyPlan:
    parts = [_part(shape, axes, periods, every, within) for axes in _profiles(len(shape))]
    whole = _joined(shape, parts, periods)
    return replace(whole, within=within)


def _profiles(ndim: int) -> list[tuple[int, ...]]:
    """Return the axes of each profile of an array: all at once but in volumes."""
    sizes = range(ndim, 0, -1) if ndim > 2 else [ndim]
    return [axes for size in sizes for axes in combinations(range(ndim), size)]


def _part(
    whole: tuple[int, ...],
    axes: tuple[int, ...],
    periods: tuple[int, ...],
    every: bool,
    bounds_of_all: tuple[int, ...] | None,
) -> FrequencyPlan:
    """List the frequencies of one profile, the axes `axes` of an array of shape `whole`."""
    shape, ndim = tuple(whole[axis] for axis in axes), len(axes)
    crossed = len(whole) > 2
    longest = [longest_period(n, ndim) for n in shape]
    bounds = tuple(bounds_of_all[axis] for axis in axes) if bounds_of_all else (0,) * ndim
    # Every period divides 0.
    tested = tuple(p for p in periods if p <= max(longest) and not lcm(*bounds) % p)
    if crossed and not min(longest):
        tested = ()

    def wanted(line: FractionLine) -> bool:
        own = tuple(d for _, d in line)
        if crossed and min(own) == 1:
            return False  # of a profile of fewer axes
        return lcm(*own) in tested and not any(b % d for b, d in zip(bounds, own, strict=True))

    keep = _Lines(wanted)
    passes: list[FullPass | AxialPass | LowPass] = []
    along = {p: tuple(gcd(p, bound) for bound in bounds) for p in tested}
    short = [p for p in tested if every or prod(along[p]) <= ALL_HARMONICS[ndim] ** ndim]
    long = [p for p in tested if p not in short]
    # Longest first: the frequencies of 16 contain those of 8, 4 and 2, so few passes serve all periods.
    for period in sorted(short, reverse=True):
        pairs = zip(along[period], longest, strict=True)
        axes = tuple(p if p <= n else _largest_divisor(p, n) for p, n in pairs)
        numerators = (tuple(range(axes[0] // 2 + 1)), *(tuple(range(s)) for s in axes[1:]))
        if len(bins := keep.product(axes, numerators)):
            passes.append(FullPass(axes, numerators, bins))
    for axis, most in enumerate(longest):
        if some := [p for p in long if p <= most and not bounds[axis] % p]:
            along_axis = tuple(keep.axial(p, axis, ndim) for p in some)
            if any(along_axis):
                passes.append(AxialPass(axis, tuple(some), along_axis))
    # Frequencies up to LOW_HARMONICS / p must stay below half of what is left of the sampling rate.
    by_shrink: dict[int, list[int]] = {}
    for period in (p for p in long if p <= min(longest)):
        shrink = 1
        while 8 * shrink * LOW_HARMONICS < 2 * period:
            shrink *= 2
        by_shrink.setdefault(shrink, []).append(period)
    sides = tuple(range(-LOW_HARMONICS, LOW_HARMONICS + 1))
    numerators = (tuple(range(LOW_HARMONICS + 1)), *(sides for _ in longest[1:]))
    for shrink, some in by_shrink.items():
        each = [keep.product((p,) * ndim, numerators) for p in some]
        bins = np.concatenate([np.column_stack([np.full(len(b), i), b]) for i, b in enumerate(each)])
        if len(bins):
            passes.append(LowPass(tuple(some), numerators, bins, shrink))
    if crossed or bounds_of_all is not None:
        tested = tuple(sorted({lcm(*(d for _, d in line)) for line in keep.rows}))
    return _as_plan(shape, passes, keep.rows, tested)


@dataclass
class _Lines:
    """Collects lines, each once and without its conjugate."""

    wanted: Callable[[FractionLine], bool]
    rows: list[FractionLine] = field(default_factory=list)
    seen: set[FractionLine] = field(default_factory=set)

    def product(self, axes: tuple[int, ...], numerators: tuple[tuple[int, ...], ...]) -> NDArray[np.intp]:
        """Return indices into the product of numerators of the lines taken, (F, ndim)."""
        indices = product(*(range(len(n)) for n in numerators))
        taken = [
            index
            for index in indices
            if self._take(tuple(n[i] for n, i in zip(numerators, index, strict=True)), axes)
        ]
        return np.array(taken, np.intp).reshape(len(taken), len(axes))

    def axial(self, period: int, axis: int, ndim: int) -> tuple[int, ...]:
        """Return numerators of the lines of one period along one axis that were taken."""
        axes = tuple(period if a == axis else 1 for a in range(ndim))
        return tuple(
            n for n in range(period // 2 + 1) if self._take(tuple(n * (a == axis) for a in range(ndim)), axes)
        )

    def _take(self, picked: tuple[int, ...], axes: tuple[int, ...]) -> bool:
        line = tuple(_reduced(a % s, s) for a, s in zip(picked, axes, strict=True))
        mirror = tuple(_reduced(-a % s, s) for a, s in zip(picked, axes, strict=True))
        if line in self.seen or mirror in self.seen or all(d == 1 for _, d in line) or not self.wanted(line):
            return False
        self.seen.add(line)
        self.rows.append(line)
        return True


def _as_plan(
    shape: tuple[int, ...],
    passes: list[FullPass | AxialPass | LowPass],
    rows: list[FractionLine],
    tested: tuple[int, ...],
) -> FrequencyPlan:
    ndim = len(shape)
    table = np.array(rows, np.intp).reshape(len(rows), ndim, 2)
    denominators = table[:, :, 1]
    widest = max((half_width(n, ndim) for n in shape if n >= 4), default=0.5)
    return FrequencyPlan(
        shape=shape,
        profiles=(Profile(tuple(range(ndim)), tuple(passes), len(rows)),),
        sums=window_sums(shape)[None],
        frequencies=table[:, :, 0] / np.maximum(denominators, 1),
        denominators=denominators,
        family=np.lcm.reduce(denominators, axis=1) if len(rows) else np.zeros(0, np.intp),
        real=np.asarray((denominators <= 2).all(axis=1), np.bool_),
        half_widths=np.full(len(rows), widest),
        tested=tested,
        not_tested=(),
    )


def _joined(shape: tuple[int, ...], parts: list[FrequencyPlan], periods: tuple[int, ...]) -> FrequencyPlan:
    """Join the plans of the profiles of an array; those without lines are left out."""
    pairs = list(zip(_profiles(len(shape)), parts, strict=True))
    tested = tuple(sorted({p for part in parts for p in part.tested}))
    left = tuple(p for p in periods if p not in tested)
    if len(pairs) == 1:
        return replace(parts[0], not_tested=left)
    pairs = [pair for pair in pairs if len(pair[1].frequencies)] or pairs[:1]
    most = max(part.sums.shape[1] for _, part in pairs)
    rows = []
    for axes, part in pairs:
        count = len(part.frequencies)
        frequencies, denominators = np.zeros((count, len(shape))), np.ones((count, len(shape)), np.intp)
        frequencies[:, axes], denominators[:, axes] = part.frequencies, part.denominators
        sums = np.full((count, most), np.nan)
        sums[:, : part.sums.shape[1]] = part.sums
        rows.append((frequencies, denominators, sums, part.family, part.real, part.half_widths))
    frequencies, denominators, sums, family, real, half_widths = map(np.concatenate, zip(*rows, strict=True))
    return FrequencyPlan(
        shape=shape,
        profiles=tuple(Profile(axes, part.passes, len(part.frequencies)) for axes, part in pairs),
        sums=sums if len(sums) else window_sums(shape)[None],
        frequencies=frequencies,
        denominators=denominators,
        family=family,
        real=real,
        half_widths=half_widths,
        tested=tested,
        not_tested=left,
    )


def pair_plan(shape: tuple[int, ...], period: tuple[int, ...]) -> FrequencyPlan:
    """List the lines of one pattern of unequal periods that vary along two axes or more."""
    return _pair_plan(tuple(shape), tuple(period))


@lru_cache(maxsize=128)
def _pair_plan(shape: tuple[int, ...], period: tuple[int, ...]) -> FrequencyPlan:
    parts = []
    for axes in _profiles(len(shape)):
        own = tuple(period[axis] for axis in axes)
        numerators = (tuple(range(own[0] // 2 + 1)), *(tuple(range(s)) for s in own[1:]))
        least = max(2, len(axes)) if len(shape) > 2 else 2
        keep = _Lines(partial(_varies, least))
        bins = keep.product(own, numerators)
        passes: list[FullPass | AxialPass | LowPass] = [FullPass(own, numerators, bins)] if len(bins) else []
        parts.append(_as_plan(tuple(shape[axis] for axis in axes), passes, keep.rows, ()))
    return _joined(shape, parts, ())


def _varies(least: int, line: FractionLine) -> bool:
    """Test whether a line varies along so many axes."""
    return sum(d > 1 for _, d in line) >= least


def checked_periods(periods: Iterable[int]) -> tuple[int, ...]:
    """Return periods as integers; UncheckError unless they are whole numbers from 2."""
    if not isinstance(periods, Iterable):
        raise UncheckError(f"periods {periods} is a single value; give several, such as [{periods}]")
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
