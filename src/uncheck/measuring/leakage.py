"""What sinusoids have at the frequencies of a plan, known without any array."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Line
from uncheck.measuring.passes import FrequencyPlan
from uncheck.measuring.tapers import tapers

#: Sinusoids, lines and their conjugates, up to which this is less work than drawing them and starting again.
FEW = 64


def few_lines(lines: Sequence[Line]) -> bool:
    """Test whether there are so few lines that `line_spectra` is the quicker way."""
    return sum(1 if line.real else 2 for line in lines) <= FEW


def line_spectra(lines: Sequence[Line], scheme: FrequencyPlan) -> NDArray[np.complex64]:
    """Return the eigencoefficients (F, C, K) that an array of these lines alone has in a plan of two axes.

    Of Re(sum_l g_l mu_l exp(2 pi i f_l.n)), g = 2, or 1 where the line is real, with the tapers' transforms
    D_k(d) = product over axes of sum_n u_k[n] exp(-2 pi i d n):

        Y_k(f) = sum_l mu_l D_k(f - f_l) + conj(mu_l) D_k(f + f_l).

    `eigenspectra` of the array is the same, but for rounding.

    Cost: O(F S K), S lines and conjugates, and a table of the tapers at all frequencies, made once.
    """
    signed = [
        (np.array(line.frequency), np.array(line.mean).real if line.real else line.mean) for line in lines
    ]
    signed += [(-np.array(line.frequency), np.conj(line.mean)) for line in lines if not line.real]
    places = np.array([place for place, _ in signed])
    means = np.array([mean for _, mean in signed], np.complex64)
    first, second = (_transforms(scheme, axis, places[:, axis]) for axis in (0, 1))
    # (F, K_0, S) and (F, S, C K_1) -> (F, K_0, C, K_1)
    weighed = means.T[:, None, :] * second[:, None]
    count, channels, windows, several = weighed.shape
    both = first @ weighed.reshape(count, channels * windows, several).swapaxes(1, 2)
    both = both.reshape(count, -1, channels, windows).swapaxes(1, 2)
    return np.asarray(both.reshape(count, channels, -1), np.complex64)


def _transforms(scheme: FrequencyPlan, axis: int, places: NDArray[np.float64]) -> NDArray[np.complex64]:
    """Return the transforms of an axis' tapers between the frequencies of a plan and places, (F, K, S)."""
    table, which = _turned(scheme, axis)
    own, index = np.unique(places, return_inverse=True)
    waves = np.exp(2j * np.pi * np.multiply.outer(np.arange(table.shape[-1]), own))
    return np.asarray((table @ waves).astype(np.complex64)[..., index][which])


@lru_cache(maxsize=8)
def _turned(scheme: FrequencyPlan, axis: int) -> tuple[NDArray[np.complex128], NDArray[np.intp]]:
    """Return the tapers of an axis turned to each frequency (U, K, n), and which of these each line has."""
    own, index = np.unique(scheme.frequencies[:, axis], return_inverse=True)
    n = scheme.shape[axis]
    turn = np.exp(-2j * np.pi * np.multiply.outer(own, np.arange(n)))
    return np.asarray(turn[:, None] * tapers(n, len(scheme.shape)).values), np.asarray(index)
