"""The limit of a test: for each period that it did not find, the amplitude that it would have found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, inf, lcm, log, prod

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtr

from uncheck.measuring.components import Component, Limit
from uncheck.measuring.correction import Family, families
from uncheck.measuring.frequencies import FrequencyPlan
from uncheck.measuring.harmonic import LineTests, joint_channels, log_p_values

#: Probability with which a lattice of the limit's amplitude is found.
FOUND = 0.95

#: Random tiles tried for a period of so few lines; for others sums over lines are normal enough.
TILES, FEW = 320, 12

#: How far the smallest p-value and the sum, which holds it, are independent: 0 not at all, 1 fully.
APART = 0.4

#: What the checks of `measure` that follow take away raises the limit by so much: without it 92 % instead of
#: 95 were found in six photographs (experiments/calibration/limits.py has others).
SPARE = 1.04

#: Draws behind the table of means and variances, and its range of powers, in the unit of the noise.
DRAWS, POWERS = 8192, np.geomspace(1e-2, 1e5, 57)

#: The largest power looked at, of what one line needs, and how often the interval is halved.
LARGEST, HALVINGS = 50.0, 8

#: Logarithm below which p-values of real lines are not told apart: soon after they are 0 in floating point.
SMALLEST = log(1e-300)

#: No line is real.
NO = np.zeros(1, np.bool_)


def find_limits(
    tests: LineTests,
    scheme: FrequencyPlan,
    significance: float,
    found: Iterable[Component] = (),
) -> tuple[Limit, ...]:
    """Return the limit of every period tested that is not among those found, ascending.

    A lattice does not change the residual of the fit of its lines, so the noise of their amplitudes is
    known. With c the `clarity` of a line and m its share, a lattice of amplitude A in all C channels gives

        T = |A m sqrt(c) + z_1|^2 + |z_2|^2 + ... + |z_C|^2,    F = (K-C) / (C (K-1)) T,

    z_i complex normal of variance 1 (real where the line is real), so that F is noncentral, of noncentrality
    2 A^2 m^2 c. The shares of a random tile are m^2 = e / sum e, e exponential. The limit is the A at
    which the smallest p-value of the lines or Fisher's sum passes with probability 0.95: of a few lines by
    drawing tiles (always the same ones), of many from the means and variances of log p.

    Args:
        tests: of the lines of a plan.
        scheme: that plan.
        significance: corrected p-value below which a component counts as there.
        found: components that need no limit, nor do those merged into them.

    Cost: 3 ms for periods 2 to 16 in a picture.
    Source: Thomson, Proc. IEEE 70 (1982), section XIII, for F; Hotelling (1931).
    """
    known = {c.cycle for c in found} | {lcm(*period) for c in found for period, _ in c.harmonics}
    asked = [_asked(tests, scheme, f, significance) for f in families(scheme) if f.period not in known]
    return tuple(Limit(period, SPARE * amplitude) for period, amplitude in _solved(asked))


def line_limits(
    periods: Sequence[int], clarity: Sequence[NDArray[np.float64]], freedom: int, p_values: Sequence[float]
) -> list[float]:
    """Return the limits of periods of one axis whose lines are found one by one.

    Args:
        periods: samples.
        clarity: for each, that of its lines a/P in lowest terms, 0 < a/P <= 1/2.
        freedom: K - 1.
        p_values: for each, what one line must stay below.
    """
    asked = [
        _Asked(
            period=(period,),
            least=log(p_value),
            total=-inf,
            order=1,
            freedom=np.full(len(own), float(freedom)),
            clarity=np.maximum(own, 1e-30),
            real=np.full(len(own), period == 2),
        )
        for period, own, p_value in zip(periods, clarity, p_values, strict=True)
    ]
    return [limit for _, limit in _solved(asked)]


def _solved(asked: Sequence[_Asked]) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield the period and the limit of each."""
    few, many = ([one for one in asked if (len(one.clarity) < FEW) is small] for small in (True, False))
    of_few, of_many = (iter(solve(own) if own else ()) for solve, own in ((_of_few, few), (_of_many, many)))
    for one in asked:
        yield one.period, float(next(of_few if len(one.clarity) < FEW else of_many))


def outputs_needed(limits: Collection[Limit], count: int, wanted: float) -> int:
    """Return how many outputs bring every limit down to `wanted` grey levels.

    Contents of n outputs that differ average out: the limit falls as 1 / sqrt(n).

    >>> outputs_needed([Limit((2, 2), 0.6), Limit((4, 4), 0.2)], 4, 0.3)
    16
    """
    worst = max((limit.amplitude for limit in limits), default=0.0)
    return max(count, ceil(count * (worst / wanted) ** 2))


@dataclass(frozen=True, eq=False)
class _Asked:
    """What the lines of one period must show: the logarithm of one p-value below `least`, or a sum of them
    below `total`. `order` and `freedom` (F,) are those of the F test, `clarity` and `real` (F,) of the lines.
    """

    period: tuple[int, ...]
    least: float
    total: float
    order: int
    freedom: NDArray[np.float64]
    clarity: NDArray[np.float64]
    real: NDArray[np.bool_]

    @property
    def whole(self) -> float:
        """The summed squares of the peak amplitudes of a random tile, in units of one mean |mu|^2."""
        return 2.0 * (prod(self.period) - 1) - self._real_lines

    @property
    def pairs(self) -> float:
        """Lines of a whole tile that are not real."""
        return (prod(self.period) - 1 - self._real_lines) / 2

    @property
    def _real_lines(self) -> int:
        return prod(2 - p % 2 for p in self.period) - 1

    @property
    def range(self) -> tuple[float, float]:
        """Amplitudes between which the limit lies, by what one line of it needs."""
        kinds = zip(self.freedom, self.real, strict=True)
        needed = max(_needed(self.order, int(k), bool(real), self.least) for k, real in set(kinds))
        each = self.whole / len(self.clarity)
        low, high = needed / float(self.clarity.max()), needed / float(self.clarity.min())
        return (low / 4) ** 0.5, (LARGEST * max(each, 4.0) * high) ** 0.5


def _asked(tests: LineTests, scheme: FrequencyPlan, family: Family, significance: float) -> _Asked:
    channels, every = tests.p_channel.shape[1], family.own
    together = joint_channels(channels, tests.tapers[every])
    # Lines of too few tapers to test channels together are not counted on.
    own = every[together] if together.any() else every
    order = channels if together.any() else 1
    tries = channels // order
    level = significance / family.share / (2 if family.apart else 1)
    total = -chdtri(2 * len(every), level) / 2 - len(every) * log(tries) if family.apart else -inf
    return _Asked(
        period=tuple(map(int, np.lcm.reduce(scheme.denominators[every], axis=0))),
        least=log(level / len(every) / tries),
        total=float(total),
        order=order,
        freedom=tests.tapers[own] - order,
        clarity=np.maximum(tests.clarity[own], 1e-30),
        real=scheme.real[own],
    )


def _of_few(asked: Sequence[_Asked]) -> NDArray[np.float64]:
    """Return for each period the 95 % quantile of the amplitudes from which random tiles are found."""
    drawn = [_tiles(one.period, one.order, one.whole, one.pairs, tuple(map(bool, one.real))) for one in asked]
    own, cross, noise = (np.concatenate(parts, axis=1) for parts in zip(*drawn, strict=True))
    clarity = np.concatenate([one.clarity for one in asked])
    starts, counts = _starts(asked)
    curves = _curves(asked)
    least, total = (np.array([getattr(one, name) for one in asked]) for name in ("least", "total"))
    low, high = (np.tile([one.range[end] for one in asked], (TILES, 1)) for end in (0, 1))
    for _ in range(HALVINGS):
        middle = np.sqrt(low * high)
        amplitude = np.repeat(middle, counts, axis=1)
        power = amplitude**2 * clarity * own + amplitude * np.sqrt(clarity) * cross + noise
        log_p = np.empty_like(power)
        for columns, (powers, values) in curves:
            log_p[:, columns] = np.interp(power[:, columns], powers, values)
        there = (np.minimum.reduceat(log_p, starts, axis=1) < least) | (
            np.add.reduceat(log_p, starts, axis=1) < total
        )
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return np.asarray(np.quantile(np.sqrt(low * high), FOUND, axis=0))


def _starts(asked: Sequence[_Asked]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where the lines of each period begin, and how many they are."""
    counts = np.array([len(one.clarity) for one in asked])
    return np.cumsum([0, *counts[:-1]]), counts


def _curves(asked: Sequence[_Asked]) -> list[tuple[NDArray[np.intp], tuple[NDArray[np.float64], ...]]]:
    """Return the lines of each kind, and log p of theirs by power."""
    kinds = [
        (one.order, int(k), bool(real))
        for one in asked
        for k, real in zip(one.freedom, one.real, strict=True)
    ]
    places = {
        kind: np.array([i for i, own in enumerate(kinds) if own == kind]) for kind in dict.fromkeys(kinds)
    }
    return [(place, _curve(*kind)) for kind, place in places.items()]


@lru_cache(maxsize=256)
def _curve(order: int, freedom: int, real: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return log p of a line by its power in the unit of the noise, finely enough to interpolate."""
    powers = np.concatenate([[0.0], np.geomspace(1e-3, 1e9, 800)])
    statistic = powers[:, None] * freedom / (order * (order + freedom - 1))
    values = log_p_values(statistic, order, np.array([real]), freedom)[:, 0]
    return powers, np.maximum(values, SMALLEST) if real else values


@lru_cache(maxsize=256)
def _tiles(
    period: tuple[int, ...], order: int, whole: float, pairs: float, real: tuple[bool, ...]
) -> tuple[NDArray[np.float64], ...]:
    """Draw tiles of amplitude 1 and noise: T = A^2 c own + A sqrt(c) cross + noise, (R, F) each.

    What a tile has at frequencies that are not tested is lost.
    """
    rng, size = np.random.default_rng(period), (TILES, len(real))
    lines = np.where(real, rng.chisquare(1, size), 4 * rng.exponential(size=size))
    others = [whole - 4 * pairs - sum(real), pairs - len(real) + sum(real)]
    unseen = rng.gamma([max(n, 1e-9) / d for n, d in zip(others, (2, 1), strict=True)], size=(TILES, 2))
    share = lines / (lines.sum(axis=1) + unseen @ [2.0, 4.0])[:, None]
    # mu is the peak amplitude of a real line, half of that of another.
    own = np.where(real, share, share / 4)
    along = rng.normal(0.0, np.where(real, 1.0, np.sqrt(0.5)), size)
    beside = rng.chisquare(np.where(real, max(order - 1, 1e-9), 2 * order - 1), size)
    return own, 2 * np.sqrt(own) * along, along**2 + np.where(real, beside, beside / 2)


def _of_many(asked: Sequence[_Asked]) -> NDArray[np.float64]:
    """Return for each period what is found with probability 0.95, sums over lines taken for normal."""
    starts, counts = _starts(asked)
    clarity = np.concatenate([one.clarity / one.whole for one in asked])
    total, pairs = (np.array([getattr(one, name) for one in asked]) for name in ("total", "pairs"))
    order = asked[0].order
    freedom = np.concatenate([one.freedom for one in asked]).astype(int)
    kinds = {int(k): np.flatnonzero(freedom == k) for k in np.unique(freedom)}
    needed = np.concatenate([_alone(one) for one in asked])
    summed = bool((total > -inf).any())
    low, high = (np.array([one.range[end] for one in asked]) for end in (0, 1))
    for _ in range(HALVINGS):
        middle = np.sqrt(low * high)
        power = np.repeat(middle, counts) ** 2 * clarity
        alone = np.exp(-needed / (1 + power)) * (1 + 1 / power) ** (order - 1)
        missed = np.multiply.reduceat(1 - np.minimum(alone, 1.0), starts)
        if not summed:
            low, high = (np.where(missed <= 1 - FOUND, a, b) for a, b in ((low, middle), (middle, high)))
            continue
        each = np.empty((3, len(power)))
        for k, own in kinds.items():
            each[:, own] = [np.interp(power[own], POWERS, values) for values in _table(order, k)]
        mean, variance, joint = np.add.reduceat(each, starts, axis=1)
        # The shares of a tile add up to 1.
        spread = np.sqrt(np.maximum(variance - joint**2 / np.maximum(pairs, 1.0), 1e-9))
        below = ndtr((mean - total) / spread)
        there = np.minimum(missed, below) * np.maximum(missed, below) ** APART <= 1 - FOUND
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return np.asarray(np.sqrt(low * high))


def _alone(asked: _Asked) -> NDArray[np.float64]:
    freedoms, each = np.unique(asked.freedom, return_inverse=True)
    return np.array([_needed(asked.order, int(k), False, asked.least) for k in freedoms])[each]


@lru_cache(maxsize=1024)
def _needed(order: int, freedom: int, real: bool, least: float) -> float:
    """Return the power of one line, in the unit of its noise, from which it is found alone."""
    powers, values = _curve(order, freedom, real)
    return float(np.interp(-least, -values, powers))


@lru_cache(maxsize=64)
def _table(order: int, freedom: int) -> tuple[NDArray[np.float64], ...]:
    """Return the mean and variance of log p of a line of random power, and its covariance with that power.

    For mean powers POWERS; the power is exponential, in the unit of the noise.
    """
    rng = np.random.default_rng(0)
    line, noise = (rng.normal(size=(DRAWS, 2)) @ [1, 1j] * 0.5**0.5 for _ in range(2))
    beside = rng.gamma(max(order - 1, 1e-9), size=DRAWS)
    scale = freedom / (order * (order + freedom - 1))
    share = np.abs(line) ** 2
    rows = []
    for power in POWERS:
        statistic = scale * (np.abs(line * np.sqrt(power) + noise) ** 2 + beside)
        log_p = log_p_values(statistic[:, None], order, NO, freedom)[:, 0]
        rows.append((log_p.mean(), log_p.var(), np.cov(log_p, share)[0, 1]))
    return tuple(np.array(rows).T)


__all__ = ["Limit", "find_limits", "outputs_needed"]
