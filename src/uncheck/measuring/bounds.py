"""What the mean over all outputs of a network may hold, told from the spread between those at hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import stdtrit

from uncheck.measuring.components import Component, Limit
from uncheck.measuring.correction import families
from uncheck.measuring.harmonic import line_energy, line_fit, line_tapers
from uncheck.measuring.passes import FrequencyPlan
from uncheck.measuring.sets import SetSums

#: One-sided confidence of Student's t: more than 95 %, because few outputs tell little of rare strong ones.
CONFIDENCE = 0.975


def upper_ends(
    sums: SetSums, scheme: FrequencyPlan, found: Mapping[int, Component] | None = None
) -> dict[int, Limit]:
    """Return for every period tested what the plain mean of all outputs that there could be may hold.

    With mu_i the amplitude of a line in output i of n, mu that in their mean, and c_i, c what the spectra
    around the line give |mu_i|^2, |mu|^2 by chance,

        a_l = |mu|^2 - c,    v_l = (sum_i (|mu_i|^2 - c_i) / n - a_l) / (n - 1),
        upper = (sum_l g_l^2 a_l)^(1/2) + t (sum_l g_l^2 v_l)^(1/2),    g = 1 if real, else 2,

    none below 0, in the channel where that is most. v_l is the squared standard error that comes of a lattice
    whose strength depends on the content, which no test of the outputs at hand can tell; what contents hide
    there is the matter of `find_limits`. The mean errs by at most the second term in the direction of the
    true amplitude with the confidence of t (n - 1 degrees of freedom), however the lines go together.

    Args:
        sums: of the outputs, with their squares.
        scheme: the plan of their lines.
        found: components of the mean by period, whose amplitude takes the place of a smaller first term.

    Returns:
        By least common period; empty for a single output, or where the sums hold no squares.

    Cost: O(F C K), not of the outputs.
    """
    if sums.squares is None or sums.count < 2 or not len(scheme.frequencies):
        return {}
    mean, _, rest = line_fit(sums.plain_mean[None], scheme.sums)
    energy, freedom = line_energy(scheme.sums)[:, None], line_tapers(scheme.sums)[:, None]
    power = np.abs(mean[0]) ** 2 - rest[0] / (energy * np.maximum(1, freedom - 1))
    error = (sums.squares / sums.count - power) / (sums.count - 1)
    gain = np.where(scheme.real, 1.0, 4.0)[:, None]
    wide = float(stdtrit(sums.count - 1, CONFIDENCE))
    out = {}
    for family in families(scheme):
        amplitude, wrong = (
            np.sqrt((gain * np.maximum(one, 0.0))[family.own].sum(axis=0)) for one in (power, error)
        )
        known = (found or {}).get(family.period)
        if known is not None:
            amplitude = np.maximum(amplitude, known.channel_amplitudes)
        period = tuple(map(int, np.lcm.reduce(scheme.denominators[family.own], axis=0)))
        out[family.period] = Limit(period, float((amplitude + wide * wrong).max()))
    return out


__all__ = ["upper_ends"]
