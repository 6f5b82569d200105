"""Rates with confidence intervals, the amplitude at which 90 % are found, and the area under a ROC curve."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Z95 = 1.959964


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """95 % score interval of hits / trials (Wilson 1927); independent trials."""
    if not trials:
        return 0.0, 1.0
    share, z2 = hits / trials, Z95**2 / trials
    middle = (share + z2 / 2) / (1 + z2)
    half = math.sqrt(share * (1 - share) * z2 + z2**2 / 4) / (1 + z2)
    return max(0.0, middle - half), min(1.0, middle + half)


def rate(hits: int, trials: int) -> dict[str, object]:
    """`hits`, `of`, `rate` and `interval`, JSON-ready."""
    low, high = wilson(hits, trials)
    share = round(hits / trials, 5) if trials else None
    return {"hits": hits, "of": trials, "rate": share, "interval": [round(low, 5), round(high, 5)]}


def crossing(amplitudes: Sequence[float], rates: ArrayLike, level: float = 0.9) -> float | None:
    """The amplitude from which on `rates` stay at `level` or above, by interpolation in log amplitude.

    None if the last rate is below; the first amplitude if all are above.
    """
    values = np.asarray(rates, np.float64)
    below = np.flatnonzero(values < level)
    if not len(below):
        return float(amplitudes[0])
    last = int(below[-1])
    if last == len(values) - 1:
        return None
    share = (level - values[last]) / (values[last + 1] - values[last])
    low, high = np.log(amplitudes[last]), np.log(amplitudes[last + 1])
    return float(np.exp(low + share * (high - low)))


def crossing_with_interval(
    amplitudes: Sequence[float], found: NDArray[np.bool_], level: float = 0.9, draws: int = 400
) -> dict[str, object]:
    """`crossing` of `found` (photographs, draws, amplitudes), and a bootstrap over photographs.

    The interval's ends are None where the level is not reached within the amplitudes tried.
    """
    rng = np.random.default_rng(0)
    rates = found.mean(axis=(0, 1))
    each = found.mean(axis=1)
    tries = [
        crossing(amplitudes, each[rng.integers(0, len(each), len(each))].mean(axis=0), level)
        for _ in range(draws)
    ]
    ordered = sorted(math.inf if t is None else t for t in tries)
    ends = [ordered[round(q * (draws - 1))] for q in (0.025, 0.975)]
    whole = crossing(amplitudes, rates, level)
    return {
        "at": None if whole is None else round(whole, 3),
        "interval": [None if math.isinf(e) else round(e, 3) for e in ends],
    }


def auc(negatives: ArrayLike, positives: ArrayLike) -> float:
    """Chance that a random positive scores above a random negative (ties count half)."""
    low, high = np.asarray(negatives, np.float64), np.asarray(positives, np.float64)
    ranks = rankdata(np.concatenate([low, high]))
    return float((ranks[len(low) :].sum() - len(high) * (len(high) + 1) / 2) / (len(low) * len(high)))
