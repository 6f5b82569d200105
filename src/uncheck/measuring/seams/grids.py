"""Grids of lines that stand out: their period and offset, and how likely they are by chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

Floats = NDArray[np.float64]
Offsets = tuple[int | None, int | None]

#: Periods tried, pixels, and where the offsets of each begin in a list of those of all.
PERIODS = np.arange(2, 257)
STARTS = np.concatenate([[0], np.cumsum(PERIODS)])

#: The first period of which no double is tried, and the offsets that it and the longer ones have.
FIRST = int(PERIODS[-1]) // 2 + 1
LONGER = np.arange(PERIODS[-1]) < np.arange(FIRST, PERIODS[-1] + 1)[:, None]

#: Kinds of grids that share the error rate evenly: across one axis, the other, or both; from the first pixel
#: on, as patches and tiles begin, or anywhere, as cropping leaves them.
KINDS = 6

#: Share of what the lines of a grid stand out by that is left between them and the next ones of this period.
#: Interpolation makes steps that vary smoothly with their place between two samples, so others come close;
#: the lines of blocks stand alone.
ISOLATED = 0.5

#: From this period on two other sets of lines are forgiven: a gutter has two borders, a darkened seam three.
FORGIVING = 8


@dataclass(frozen=True)
class Grid:
    """Lines n = `offset` (modulo `period`) across each axis, None where there are none.

    `p_value` is corrected for all grids of one search.
    """

    period: int
    offset: Offsets
    p_value: float


def on_grid(length: int, period: int, offset: int | None, by: int = 0) -> NDArray[np.bool_]:
    """Test which of the lines 0 to `length` - 1 are `by` after one that is `offset` modulo `period`."""
    if offset is None:
        return np.zeros(length, np.bool_)
    return np.asarray((np.arange(length) - by) % period == offset, np.bool_)


def find_grid(prominence: Sequence[Floats], *, reach: int = 1, parent: int = 1) -> Grid | None:
    """Return the least likely grid of lines that stand out, or None where nothing can be compared.

    The ranks of the lines across an axis become normal scores, so only their order counts. The sum S of the
    scores of m of N lines has mean 0 and variance V = v m (1 - m / N), v their mean square, if all orders are
    alike; z = S / sqrt(V). Those of two axes add. Tried are all periods to 256, at all offsets and at 0
    alone, across either axis and both: six kinds, of which each has a sixth of the error rate and shares it
    evenly among its periods and offsets (Bonferroni).

    Args:
        prominence: for both axes, how much each line stands out; NaN where it is not to be compared.
        reach: pixels around a line in which its step shows: if above 1, periods of 4 times as many and more
            are tried.
        parent: only multiples of this period are tried, itself left out, at offsets that lie in one of its.

    Cost: 255 sums over four short arrays; about 5 ms.
    """
    folded = _folded([normal_scores(one) for one in prominence])
    # Steps between means of several pixels run into one another on lines that are closer.
    least = 2 if reach == 1 else 4 * reach
    tried = (PERIODS % parent == 0) & (parent < PERIODS) & (least <= PERIODS)
    if not tried.any() or not any(np.isfinite(one).any() for one in prominence):
        return None
    share = np.where(tried, np.log(KINDS * max(1, tried.sum())), np.inf)
    lowest: float = np.inf
    best: tuple[int, list[int | None]] | None = None
    for log_p, offsets in _kinds(folded, parent):
        at = int((log_p + share).argmin())
        if (log_p + share)[at] < lowest:
            lowest = float((log_p + share)[at])
            best = at, [None if one is None else int(one[at]) for one in offsets]
    if best is None:
        return None
    at, (row, column) = best
    return Grid(int(PERIODS[at]), (row, column), float(np.exp(min(0.0, lowest))))


def normal_scores(values: Floats) -> Floats:
    """Return the normal quantiles of the ranks of those values that are numbers; NaN for the others.

    >>> normal_scores(np.array([5.0, np.nan, 7.0, 900.0])).round(2).tolist()
    [-0.97, nan, 0.0, 0.97]
    """
    known = np.isfinite(values)
    out = np.full(len(values), np.nan)
    if known.any():
        # Equal values share the mean of their ranks.
        _, which, counts = np.unique(values[known], return_inverse=True, return_counts=True)
        ranks = np.cumsum(counts) - counts / 2
        out[known] = ndtri(ranks[which] / known.sum())
    return out


@dataclass(frozen=True, eq=False)
class _Known:
    """For each offset of each period, of the lines across one axis that can be compared.

    `counts`: how many they are, m; `spread`: m (1 - m / N), the variance of their sum in units of the mean
    square; `gain`: 1 / sqrt of that, 0 where there is none.
    """

    counts: Floats
    spread: Floats
    gain: Floats


@dataclass(frozen=True, eq=False)
class _Folded:
    """The `sums` of the scores of such lines, and the mean `square` of all scores of the axis."""

    sums: Floats
    square: float
    known: _Known


def _folded(scores: Sequence[Floats]) -> list[_Folded]:
    out = []
    for one in scores:
        known = np.isfinite(one)
        values = np.where(known, one, 0.0)
        square = float(values @ values) / max(1, int(known.sum()))
        out.append(_Folded(_sums(values), square, _of_known(known.tobytes())))
    return out


def _sums(values: Floats) -> Floats:
    """Return the sums over equal offsets, of all periods one after the other."""
    longest, count = int(PERIODS[-1]), -(-len(values) // FIRST)
    padded = np.zeros((count + 1) * longest)
    padded[: len(values)] = values
    windows = np.lib.stride_tricks.sliding_window_view(padded, longest)
    # Lines o + r p for all longer periods p and offsets o at once, r by r.
    total = np.tile(windows[0], (longest - FIRST + 1, 1))
    for r in range(1, count):
        total += windows[r * FIRST : r * longest + 1 : r]
    out = np.empty(int(STARTS[-1]))
    out[STARTS[FIRST - 2] :] = total[LONGER]
    # The sums of a period are those of twice the period, added in pairs.
    starts = STARTS.tolist()
    for p in range(FIRST - 1, 1, -1):
        both = out[starts[2 * p - 2] : starts[2 * p - 1]]
        np.add(both[:p], both[p:], out=out[starts[p - 2] : starts[p - 1]])
    return out


@lru_cache(maxsize=16)
def _of_known(known: bytes) -> _Known:
    # Pictures of one size have the same lines, but for those that were hidden.
    lines = np.frombuffer(known, np.bool_)
    counts = _sums(lines.astype(np.float64))
    spread = counts * (1 - counts / max(1, int(lines.sum())))
    possible = spread > 1e-9
    return _Known(counts, spread, np.where(possible, 1 / np.sqrt(np.where(possible, spread, 1.0)), 0.0))


def _kinds(folded: Sequence[_Folded], parent: int) -> Iterator[tuple[Floats, list[NDArray[np.intp] | None]]]:
    """Return for each kind of grid the logarithm of p by period, not yet shared, and the offsets."""
    starts = STARTS[:-1]
    zero = [np.zeros_like(starts)] * 2
    best = []
    for one in folded:
        z = np.where(one.known.gain > 0, one.sums * one.known.gain, -np.inf)
        highest = np.flatnonzero(z == np.repeat(np.maximum.reduceat(z, starts), PERIODS))
        best.append(highest[np.searchsorted(highest, starts)] - starts)
    for offsets, tests in ((best, np.log(PERIODS / parent)), (zero, 0.0)):
        for axes in ((0,), (1,), (0, 1)):
            at = {axis: starts + offsets[axis] for axis in axes}
            total = sum(folded[axis].sums[i] for axis, i in at.items())
            variance = sum(folded[axis].square * folded[axis].known.spread[i] for axis, i in at.items())
            both = np.all([folded[axis].known.counts[i] > 0 for axis, i in at.items()], axis=0)
            z = np.where(both, _standing(np.asarray(total), np.asarray(variance)), -np.inf)
            used = [offsets[axis] if axis in axes else None for axis in (0, 1)]
            yield log_ndtr(-z) + len(axes) * tests, used


def _standing(total: Floats, variance: Floats) -> Floats:
    possible = variance > 1e-9
    return np.where(possible, total / np.sqrt(np.where(possible, variance, 1.0)), -np.inf)


def is_isolated(prominence: Sequence[Floats], grid: Grid, reach: int) -> bool:
    """Test whether the lines of a grid stand out much more than the other lines with its period.

    Lines up to twice the reach away show the same steps, if it is more than 1, and do not count against it.
    """
    lead = whole = 0.0
    for values, start in zip(prominence, grid.offset, strict=True):
        if start is None:
            continue
        scores = normal_scores(values)
        near = (
            [(start + by) % grid.period for by in range(1 - 2 * reach, 2 * reach)] if reach > 1 else [start]
        )
        own = scores[start :: grid.period]
        others = [scores[o :: grid.period] for o in range(grid.period) if o not in near]
        means = sorted((float(np.nanmean(one)) for one in others if np.isfinite(one).any()), reverse=True)
        if not means or not np.isfinite(own).any():
            return False
        forgiven = 2 if grid.period >= FORGIVING else 0
        mean = float(np.nanmean(own))
        lead += mean - means[min(forgiven, len(means) - 1)]
        whole += mean - float(np.mean(means))
    return lead >= ISOLATED * whole


def standing(prominence: Sequence[Floats], grid: Grid) -> float:
    """Return z of the lines of a grid: how far they stand out of all that are to be compared."""
    total = count = 0.0
    for values, start in zip(prominence, grid.offset, strict=True):
        scores = normal_scores(values)
        own = scores[on_grid(len(values), grid.period, start) & np.isfinite(scores)]
        total, count = total + float(own.sum()), count + len(own)
    return total / float(np.sqrt(count)) if count else 0.0
