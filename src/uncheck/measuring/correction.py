"""Components from the p-values of single lines, corrected for all lines, channels and periods tested."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray
from scipy.special import chdtrc

from uncheck.measuring.components import Component, Line
from uncheck.measuring.eigenspectra import like, window_sums
from uncheck.measuring.harmonic import LineTests, line_test, to_numpy
from uncheck.measuring.passes import FrequencyPlan
from uncheck.measuring.support import Support
from uncheck.measuring.tapers import tapers

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
    out: dict[int, Component] = {}
    for family in families(scheme):
        own, share, apart = family.own, family.share, family.apart
        p_value = share * combined(lines.p_joint[own], apart=apart)
        if p_value >= significance:
            continue
        channels = [min(1.0, share * combined(p, apart=apart)) for p in lines.p_channel[own].T]
        out[family.period] = component_of(lines, scheme, own, p_value, channels, significance / share)
    return out


@dataclass(frozen=True, eq=False)
class Family:
    """The lines `own` of one period: by how much the other periods tried raise its p-value (`share`), and
    whether its lines are independent (`apart`).
    """

    period: int
    own: NDArray[np.intp]
    share: float
    apart: bool


@lru_cache(maxsize=64)
def families(scheme: FrequencyPlan) -> tuple[Family, ...]:
    """Return the families of lines of a plan that are tested together, by period."""
    weight = {p: 1 / p**2 for p in scheme.tested}
    total = sum(weight.values())
    out = []
    for period in scheme.tested:
        own = np.flatnonzero(scheme.family == period)
        if len(own):
            apart = period <= FISHER_LONGEST and 1 / period >= 2 * scheme.half_widths[own].max()
            out.append(Family(period, own, total / weight[period], apart))
    return tuple(out)


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


#: How much more significant than a lattice of one sign one of changing sign must be: textures that are
#: brighter than their surroundings concentrate their noise where the brightness is (least corrected p
#: in twelve photographs and nine others: 5e-4).
STRICTER = 100

#: Share of its power that the brightness must vary by beside its mean, or there is nothing to follow.
VARIES = 1e-9


def brightness_envelope(working: Any) -> NDArray[np.float64]:
    """Sum the brightness of one array (1, *spatial, C), mean removed, under each taper, (K,)."""
    xp = array_namespace(working)
    channels, ndim = working.shape[-1], working.ndim - 2
    # A product is several times as fast as a mean over the short last axis.
    data = xp.matmul(working[0], like(np.full(channels, 1 / channels, np.float32), working))
    for n in working.shape[1:-1]:
        # The axis goes, its tapers come last; the next axis is then the first.
        data = xp.moveaxis(
            xp.tensordot(like(tapers(n, ndim).values, working), data, axes=((1,), (0,))), 0, -1
        )
    return to_numpy(data).astype(np.float64).ravel()


def signed_components(
    working: Any,
    spectra: Any,
    scheme: FrequencyPlan,
    significance: float,
    support: Support | None = None,
) -> dict[int, Component]:
    """Find significant components whose amplitude follows brightness less its mean.

    The harmonic test with the tapered brightness D_k = sum_n u_k[n] b[n] in place of the tapers' sums U_k, on
    what is orthogonal to U: the line mu b[n] exp(2 pi i f.n), K - 1 coefficients. `working` is (1, *spatial,
    C) less its mean, `spectra` (1, F, C, K) its eigencoefficients. A hundredth of `significance` is asked
    for. `amplitude` is the root mean square over the picture of the local peak amplitude, as far as the
    tapers resolve the brightness, so at most the true one.

    Cost: O(pixels K) for the brightness, O(F C K^2).
    """
    if not len(scheme.frequencies):
        return {}
    tests, start = [], 0
    if support is not None:
        # Of a picture without its mean inside, the brightness outside is none.
        inside = support.plane / float(support.share.sum())
        working = (working - (working * inside).sum(axis=tuple(range(1, working.ndim - 1)))) * support.plane
    for profile in scheme.profiles:
        own = slice(start, start := start + profile.count)
        flat = tuple(axis + 1 for axis in range(working.ndim - 2) if axis not in profile.axes)
        shown = array_namespace(working).mean(working, axis=flat) if flat else working
        sums = window_sums(tuple(shown.shape[1:-1]))
        restriction = np.eye(len(sums))
        if support is not None:
            restriction, sums = support.restriction(profile.axes)
        basis, direction = _brightness(shown, sums, restriction)
        if direction is None:
            return {}
        turned = to_numpy(spectra)[:, own, :, : len(restriction)] @ (restriction @ basis).astype(np.float32)
        tests.append(line_test(turned, direction, scheme.real[own])[0])
    lines = LineTests(*(np.concatenate(one) for one in zip(*map(_parts, tests), strict=True)))
    found = components(lines, scheme, significance / STRICTER)
    return {period: replace(component, signed=True) for period, component in found.items()}


def _parts(tests: LineTests) -> tuple[NDArray[Any], ...]:
    return tests.mean, tests.p_joint, tests.p_channel, tests.clarity, tests.tapers


def _brightness(
    working: Any, sums: NDArray[np.float64], restriction: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return an orthonormal basis of what is orthogonal to the tapers' sums, and the brightness in it.

    None if the brightness does not vary.
    """
    envelope = brightness_envelope(working) @ restriction
    energy = float((sums**2).sum())
    along = float(envelope @ sums) / energy
    rest = envelope - along * sums
    # One coefficient less.
    basis = np.linalg.svd(sums[None])[2][1:].T
    if float((rest**2).sum()) <= VARIES * max(float((envelope**2).sum()), energy):
        return basis, None
    # Scaled so that amplitudes are those of an envelope of root mean square 1.
    return basis, (rest @ basis) * np.sqrt(energy / float((rest**2).sum()))
