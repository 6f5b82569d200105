"""Components from the p-values of single lines, corrected for all lines, channels and periods tested."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from uncheck.measuring.components import Component, Line
from uncheck.measuring.frequencies import FrequencyPlan
from uncheck.measuring.harmonic import LineTests

#: Longest period whose lines are also tested by the sum of their logarithms. Longer ones have so many lines
#: that mild excesses, as uneven textures give everywhere, add up to false alarms (14 in twelve photographs).
FISHER_LONGEST = 16


def components(lines: LineTests, scheme: FrequencyPlan, significance: float) -> dict[int, Component]:
    """Return the significant components, p-values corrected over lines, channels and periods.

    Period P gets the share of the error rate proportional to 1/P^2 (weighted Bonferroni): short periods are
    what upsampling leaves most, and long ones have many more lines. Within a period the smallest p times the
    number of lines and Fisher's sum of logarithms are both tried, at the price of a factor of two: patterns
    with many harmonics show in the sum first.
    """
    weight = {p: 1 / p**2 for p in scheme.tested}
    total = sum(weight.values())
    out: dict[int, Component] = {}
    for period in scheme.tested:
        own = np.flatnonzero(scheme.family == period)
        if not len(own):
            continue
        share = total / weight[period]
        apart = period <= FISHER_LONGEST and 1 / period >= 2 * scheme.half_width
        p_value = share * combined(lines.p_joint[own], apart=apart)
        if p_value >= significance:
            continue
        channels = [min(1.0, share * combined(p, apart=apart)) for p in lines.p_channel[own].T]
        out[period] = component_of(lines, scheme, own, p_value, channels, significance / share)
    return out


def combined(p_values: NDArray[np.float64], *, apart: bool) -> float:
    """Combine the p-values of several lines; Fisher's sum is tried if they are independent (`apart`)."""
    n = len(p_values)
    smallest = float(p_values.min()) * n
    if not apart:
        return min(1.0, smallest)
    fisher = float(chdtrc(2 * n, -2 * np.log(np.maximum(p_values, 1e-300)).sum()))
    return min(1.0, 2 * min(smallest, fisher))


def component_of(
    lines: LineTests,
    scheme: FrequencyPlan,
    own: NDArray[np.intp],
    p_value: float,
    channels: list[float],
    limit: float,
) -> Component:
    """Assemble a component of the lines `own` whose p-value times their number is below `limit`."""
    order = own[np.argsort(lines.p_joint[own])]
    keep = [i for i in order if lines.p_joint[i] * len(own) < limit] or [order[0]]
    return Component.of([line_of(scheme, i, lines) for i in keep], p_value, channels)


def line_of(scheme: FrequencyPlan, i: int, lines: LineTests | None = None) -> Line:
    """Return frequency i of a plan as a line, with the results of its test if they are given."""
    return Line(
        frequency=tuple(map(float, scheme.frequencies[i])),
        period=tuple(map(int, scheme.denominators[i])),
        mean=() if lines is None else tuple(map(complex, lines.mean[i])),
        real=bool(scheme.real[i]),
        p_value=1.0 if lines is None else float(lines.p_joint[i]),
    )
