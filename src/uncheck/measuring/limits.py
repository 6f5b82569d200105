"""The limit of a test: for each period that it did not find, the amplitude that it would have found."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, inf, lcm, log, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtri, fdtrc, ndtr

from uncheck.measuring.components import Component, Limit
from uncheck.measuring.correction import Family, families
from uncheck.measuring.frequencies import FrequencyPlan
from uncheck.measuring.harmonic import LineTests, joint_channels

#: Probability with which a lattice of the limit's amplitude is found.
FOUND = 0.95

#: Random tiles tried for a period of so few lines; for others sums over lines are normal enough.
TILES, FEW = 512, 12

#: Draws behind the table of means and variances, and its range of powers, in the unit of the noise.
DRAWS, POWERS = 8192, np.geomspace(1e-2, 1e5, 57)

#: Where a limit is looked for, in the unit of the noise of the clearest and the least clear line, and how
#: often the interval is halved.
SMALLEST, LARGEST, HALVINGS = 0.5, 200.0, 11


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
    out = []
    for family in families(scheme):
        if family.period in known:
            continue
        asked = _asked(tests, scheme, family, significance)
        out.append(Limit(asked.period, _of_few(asked) if len(family.own) < FEW else _of_many(asked)))
    return tuple(out)


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
        """Amplitudes between which the limit lies."""
        return (
            SMALLEST / float(np.sqrt(self.clarity.max())),
            LARGEST * float(np.sqrt(self.whole / len(self.clarity) / self.clarity.min())),
        )


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


def _of_few(asked: _Asked) -> float:
    """Return the 95 % quantile of the amplitudes from which random tiles are found."""
    own, cross, noise = _tiles(asked.period, asked.order, asked.whole, asked.pairs, tuple(asked.real))
    scale = asked.freedom / (asked.order * (asked.order + asked.freedom - 1))
    low, high = (np.full((TILES, 1), end) for end in asked.range)
    for _ in range(HALVINGS):
        middle = np.sqrt(low * high)
        power = middle**2 * asked.clarity * own + middle * np.sqrt(asked.clarity) * cross + noise
        log_p = _log_p(scale * power, asked.order, asked.real, asked.freedom)
        there = (log_p.min(axis=1) < asked.least) | (log_p.sum(axis=1) < asked.total)
        low, high = np.where(there[:, None], low, middle), np.where(there[:, None], middle, high)
    return float(np.quantile(np.sqrt(low * high), FOUND))


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


def _of_many(asked: _Asked) -> float:
    """Return the amplitude that is found with probability 0.95, sums over the lines taken for normal."""
    kinds = [(int(k), asked.clarity[asked.freedom == k]) for k in np.unique(asked.freedom)]
    tables = [(_needed(asked.order, k, asked.least), _table(asked.order, k)) for k, _ in kinds]
    low, high = asked.range
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        missed, sums = 1.0, np.zeros(3)
        for (_, clarity), (needed, table) in zip(kinds, tables, strict=True):
            power = middle**2 * clarity / asked.whole
            alone = np.exp(-needed / (1 + power)) * (1 + 1 / power) ** (asked.order - 1)
            missed *= float(np.prod(1 - np.minimum(alone, 1.0)))
            sums += [np.interp(power, POWERS, values).sum() for values in table]
        # The shares of a tile add up to 1.
        spread = max(sums[1] - sums[2] ** 2 / asked.pairs, 1e-9) ** 0.5
        there = max(1 - missed, float(ndtr((asked.total - sums[0]) / spread))) >= FOUND
        low, high = (low, middle) if there else (middle, high)
    return float((low * high) ** 0.5)


@lru_cache(maxsize=256)
def _needed(order: int, freedom: int, least: float) -> float:
    """Return the power of one line, in the unit of its noise, from which it is found alone."""
    high = 1.0
    while _log_p(np.array([[high]]), order, NO, freedom)[0, 0] > least:
        high *= 2
    found = brentq(lambda t: _log_p(np.array([[t]]), order, NO, freedom)[0, 0] - least, 0.0, high)
    return float(found) * order * (order + freedom - 1) / freedom


NO = np.zeros(1, np.bool_)


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
        log_p = _log_p(statistic[:, None], order, NO, freedom)[:, 0]
        rows.append((log_p.mean(), log_p.var(), np.cov(log_p, share)[0, 1]))
    return tuple(np.array(rows).T)


def _log_p(
    statistic: NDArray[np.float64], order: int, real: NDArray[np.bool_], freedom: Any
) -> NDArray[np.float64]:
    """Return the logarithm of `harmonic.p_values`."""
    freedom = np.broadcast_to(freedom, statistic.shape)
    x = freedom / (freedom + order * np.maximum(statistic, 0.0))
    total = term = np.ones_like(x)
    for j in range(1, order):
        term = term * ((freedom + j - 1) / j) * (1 - x)
        total = total + term
    out = freedom * np.log(x) + np.log(total)
    if real.any():
        out[:, real] = np.log(np.maximum(fdtrc(order, freedom[:, real], statistic[:, real]), 1e-300))
    return np.asarray(out)


__all__ = ["Limit", "find_limits", "outputs_needed"]
