"""The limit of a test: for each period that it did not find, the amplitude that it would have found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from math import ceil, inf, lcm, log

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from uncheck.measuring.components import Component, Limit
from uncheck.measuring.correction import Family, families
from uncheck.measuring.harmonic import LineTests, joint_channels
from uncheck.measuring.passes import FrequencyPlan
from uncheck.measuring.random_tiles import Asked, solved

#: What the checks of `measure` that follow take away raises the limit by so much: without it 92 % instead of
#: 95 were found in six photographs (experiments/calibration/limits.py has others).
SPARE = 1.04


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
    return tuple(Limit(period, SPARE * amplitude) for period, amplitude in solved(asked))


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
        Asked(
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
    return [limit for _, limit in solved(asked)]


def outputs_needed(limits: Collection[Limit], count: int, wanted: float) -> int:
    """Return how many outputs bring every limit down to `wanted` grey levels.

    Contents of n outputs that differ average out: the limit falls as 1 / sqrt(n).

    >>> outputs_needed([Limit((2, 2), 0.6), Limit((4, 4), 0.2)], 4, 0.3)
    16
    """
    worst = max((limit.amplitude for limit in limits), default=0.0)
    return max(count, ceil(count * (worst / wanted) ** 2))


def _asked(tests: LineTests, scheme: FrequencyPlan, family: Family, significance: float) -> Asked:
    channels, every = tests.p_channel.shape[1], family.own
    together = joint_channels(channels, tests.tapers[every])
    # Lines of too few tapers to test channels together are not counted on.
    own = every[together] if together.any() else every
    order = channels if together.any() else 1
    tries = channels // order
    level = significance / family.share / (2 if family.apart else 1)
    total = -chdtri(2 * len(every), level) / 2 - len(every) * log(tries) if family.apart else -inf
    return Asked(
        period=tuple(map(int, np.lcm.reduce(scheme.denominators[every], axis=0))),
        least=log(level / len(every) / tries),
        total=float(total),
        order=order,
        freedom=tests.tapers[own] - order,
        clarity=np.maximum(tests.clarity[own], 1e-30),
        real=scheme.real[own],
    )


__all__ = ["Limit", "find_limits", "outputs_needed"]
