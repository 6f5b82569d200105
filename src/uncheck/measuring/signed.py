"""Lattices whose sign changes with brightness: none on average, strong far from the mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from uncheck.measuring.components import Component
from uncheck.measuring.correction import components
from uncheck.measuring.eigenspectra import like, window_sums
from uncheck.measuring.frequencies import FrequencyPlan
from uncheck.measuring.harmonic import line_test, to_numpy
from uncheck.measuring.tapers import tapers

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
    working: Any, spectra: Any, scheme: FrequencyPlan, significance: float
) -> dict[int, Component]:
    """Find significant components whose amplitude follows brightness less its mean.

    The harmonic test with the tapered brightness D_k = sum_n u_k[n] b[n] in place of the tapers' sums U_k, on
    what is orthogonal to U: the line mu b[n] exp(2 pi i f.n), K - 1 coefficients.

    Args:
        working: (1, *spatial, C) grey levels, mean removed.
        spectra: (1, F, C, K) its eigencoefficients.
        scheme: the frequencies.
        significance: corrected p-value; a hundredth of it is asked for.

    Returns:
        By period. `amplitude` is the root mean square over the picture of the local peak amplitude, as far as
        the tapers resolve the brightness, so at most the true one.

    Cost: O(pixels K) for the brightness, O(F C K^2).
    """
    if not len(scheme.frequencies):
        return {}
    sums, envelope = window_sums(tuple(working.shape[1:-1])), brightness_envelope(working)
    energy = float((sums**2).sum())
    along = float(envelope @ sums) / energy
    rest = envelope - along * sums
    if float((rest**2).sum()) <= VARIES * max(float((envelope**2).sum()), energy):
        return {}
    # An orthonormal basis of what is orthogonal to the sums: one coefficient less.
    basis = np.linalg.svd(sums[None])[2][1:].T
    turned = to_numpy(spectra) @ basis.astype(np.float32)
    # Scaled so that amplitudes are those of an envelope of root mean square 1.
    direction = (rest @ basis) * np.sqrt(energy / float((rest**2).sum()))
    lines = line_test(turned, direction, scheme.real)[0]
    found = components(lines, scheme, significance / STRICTER)
    return {period: replace(component, signed=True) for period, component in found.items()}
