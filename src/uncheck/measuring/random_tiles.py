"""Random tiles: the amplitudes from which the lines of one period are found, by drawing or by moments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf, log, prod

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from uncheck.measuring.harmonic import log_p_values

#: Probability with which a lattice of the limit's amplitude is found.
FOUND = 0.95

#: Random tiles tried for a period of so few lines; for others sums over lines are normal enough.
TILES, FEW = 320, 12

#: How far the smallest p-value and the sum, which holds it, are independent: 0 not at all, 1 fully.
APART = 0.4

#: Draws behind the table of means and variances, and its range of powers, in the unit of the noise.
DRAWS, POWERS = 8192, np.geomspace(1e-2, 1e5, 57)

#: Powers of a line, in the unit of the noise, close enough to interpolate between.
FINELY = np.concatenate([[0.0], np.geomspace(1e-3, 1e9, 800)])

#: The largest power looked at, of what one line needs, and how often the interval is halved.
LARGEST, HALVINGS = 50.0, 8

#: Logarithm below which p-values of real lines are not told apart: soon after they are 0 in floating point.
SMALLEST = log(1e-300)

#: No line is real.
NO = np.zeros(1, np.bool_)


@dataclass(frozen=True, eq=False)
class Asked:
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
        kinds = set(zip(self.freedom.tolist(), self.real.tolist(), strict=True))
        needed = max(_needed(self.order, int(k), real, self.least) for k, real in kinds)
        each = self.whole / len(self.clarity)
        low, high = needed / float(self.clarity.max()), needed / float(self.clarity.min())
        return (low / 4) ** 0.5, (LARGEST * max(each, 4.0) * high) ** 0.5


def solved(asked: Sequence[Asked]) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield the period and the limit of each."""
    few, many = ([one for one in asked if (len(one.clarity) < FEW) is small] for small in (True, False))
    of_few, of_many = (iter(solve(own) if own else ()) for solve, own in ((_of_few, few), (_of_many, many)))
    for one in asked:
        yield one.period, float(next(of_few if len(one.clarity) < FEW else of_many))


def _of_few(asked: Sequence[Asked]) -> NDArray[np.float64]:
    """Return for each period the 95 % quantile of the amplitudes from which random tiles are found."""
    drawn = [_tiles(one.period, one.order, one.whole, one.pairs, tuple(map(bool, one.real))) for one in asked]
    own, cross, noise = (np.concatenate(parts, axis=1) for parts in zip(*drawn, strict=True))
    clarity = np.concatenate([one.clarity for one in asked])
    starts, counts = _starts(asked)
    curves = _curves(asked)
    least, total = (np.array([getattr(one, name) for one in asked]) for name in ("least", "total"))
    low, high = (np.tile(ends, (TILES, 1)) for ends in zip(*(one.range for one in asked), strict=True))
    root = np.sqrt(clarity) * cross
    own = clarity * own
    for _ in range(HALVINGS):
        middle = np.sqrt(low * high)
        amplitude = np.repeat(middle, counts, axis=1)
        power = amplitude * (amplitude * own + root) + noise
        log_p = np.empty_like(power)
        for columns, values in curves:
            log_p[:, columns] = _on_curve(power[:, columns], values)
        there = (np.minimum.reduceat(log_p, starts, axis=1) < least) | (
            np.add.reduceat(log_p, starts, axis=1) < total
        )
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return np.asarray(np.quantile(np.sqrt(low * high), FOUND, axis=0))


def _starts(asked: Sequence[Asked]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where the lines of each period begin, and how many they are."""
    counts = np.array([len(one.clarity) for one in asked])
    return np.cumsum([0, *counts[:-1]]), counts


def _curves(asked: Sequence[Asked]) -> list[tuple[NDArray[np.intp], NDArray[np.float64]]]:
    """Return the lines of each kind, and log p of theirs by power."""
    kinds = [
        (one.order, int(k), real)
        for one in asked
        for k, real in zip(one.freedom.tolist(), one.real.tolist(), strict=True)
    ]
    places = {
        kind: np.array([i for i, own in enumerate(kinds) if own == kind]) for kind in dict.fromkeys(kinds)
    }
    return [(place, _curve(*kind)) for kind, place in places.items()]


@lru_cache(maxsize=256)
def _curve(order: int, freedom: int, real: bool) -> NDArray[np.float64]:
    """Return log p of a line at each of the powers FINELY."""
    statistic = FINELY[:, None] * freedom / (order * (order + freedom - 1))
    values = log_p_values(statistic, order, np.array([real]), freedom)[:, 0]
    return np.maximum(values, SMALLEST) if real else values


def _on_curve(power: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log p of lines of any power from those at FINELY, linear in between."""
    place, share = _places(power, FINELY[1:])
    # The first interval begins at power 0.
    first = power < FINELY[1]
    place, share = np.where(first, 0, place + 1), np.where(first, power / FINELY[1], share)
    low = values[place]
    return np.asarray(low + share * (values[place + 1] - low))


def _places(
    power: NDArray[np.float64], powers: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the interval of `powers`, evenly spaced in logarithm, that holds each power, and where in it.

    The share is 0 to 1, also beyond the ends.
    """
    last = len(powers) - 1
    scale = last / np.log(powers[-1] / powers[0])
    place = np.log(np.maximum(power, powers[0]) / powers[0]) * scale
    place = np.minimum(place, last - 1).astype(np.intp)
    low = powers[place]
    return place, ((power - low) / (powers[place + 1] - low)).clip(0, 1)


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


def _of_many(asked: Sequence[Asked]) -> NDArray[np.float64]:
    """Return for each period what is found with probability 0.95, sums over lines taken for normal."""
    starts, counts = _starts(asked)
    clarity = np.concatenate([one.clarity / one.whole for one in asked])
    total, pairs = (np.array([getattr(one, name) for one in asked]) for name in ("total", "pairs"))
    order = asked[0].order
    freedom = np.concatenate([one.freedom for one in asked]).astype(int)
    kinds = {int(k): np.flatnonzero(freedom == k) for k in np.unique(freedom)}
    needed = np.concatenate([_alone(one) for one in asked])
    summed = bool((total > -inf).any())
    low, high = np.array([one.range for one in asked]).T
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
            place, share = _places(power[own], POWERS)
            table = _table(order, k)
            each[:, own] = (1 - share) * table[:, place] + share * table[:, place + 1]
        mean, variance, joint = np.add.reduceat(each, starts, axis=1)
        # The shares of a tile add up to 1.
        spread = np.sqrt(np.maximum(variance - joint**2 / np.maximum(pairs, 1.0), 1e-9))
        below = ndtr((mean - total) / spread)
        there = np.minimum(missed, below) * np.maximum(missed, below) ** APART <= 1 - FOUND
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return np.asarray(np.sqrt(low * high))


def _alone(asked: Asked) -> NDArray[np.float64]:
    needed = {k: _needed(asked.order, int(k), False, asked.least) for k in set(asked.freedom.tolist())}
    return np.array([needed[k] for k in asked.freedom.tolist()])


@lru_cache(maxsize=1024)
def _needed(order: int, freedom: int, real: bool, least: float) -> float:
    """Return the power of one line, in the unit of its noise, from which it is found alone."""
    return float(np.interp(-least, -_curve(order, freedom, real), FINELY))


@lru_cache(maxsize=64)
def _table(order: int, freedom: int) -> NDArray[np.float64]:
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
    return np.array(rows).T.copy()
