"""Amplitude of a lattice against a quantity that varies over the picture: bins, confidence, slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from uncheck.measuring.colour.regression import FLAT, fit, variance
from uncheck.plain import Plain

#: Bins at most, and windows each should hold.
BINS = 6
IN_BIN = 8


@dataclass(frozen=True)
class Bin(Plain):
    """Some windows: their mean `position` on the axis of the curve and mean `amplitude`, grey levels.

    `low`, `high`: 95 % confidence interval of the amplitude. `windows`: how many.
    """

    position: float
    amplitude: float
    low: float
    high: float
    windows: int


@dataclass(frozen=True)
class Curve(Plain):
    """Local amplitude against a position.

    Attributes:
        bins: of equal count, in order of position; one bin where the position does not vary.
        slope: grey levels of amplitude per grey level of position, by least squares over all windows.
        slope_error: standard error; p_value: of slope = 0, two-sided.
    """

    bins: tuple[Bin, ...]
    slope: float
    slope_error: float
    p_value: float


def curve(position: NDArray[np.float64], amplitude: NDArray[np.float64], counts: tuple[int, ...]) -> Curve:
    """Bin the windows by position and fit a straight line through them.

    The interval of a bin of n windows is mean +- t(0.975, n - 1) times its standard error, which allows for
    correlated neighbours as `fit` does.

    Args:
        position: (windows,) grey levels.
        amplitude: (windows,) grey levels, at least eight.
        counts: windows per axis.

    Cost: O(windows log windows).
    """
    line = fit(position[:, None], amplitude, counts)
    count = int(np.clip(len(position) // IN_BIN, 2, BINS)) if np.ptp(position) > FLAT else 1
    order = np.argsort(position, kind="stable")
    return Curve(
        bins=tuple(_bin(position, amplitude, own, counts) for own in np.array_split(order, count)),
        slope=float(line.coefficients[1]),
        slope_error=float(line.errors[1]),
        p_value=line.slope_p_value,
    )


def _bin(
    position: NDArray[np.float64],
    amplitude: NDArray[np.float64],
    own: NDArray[np.intp],
    counts: tuple[int, ...],
) -> Bin:
    n, mean = len(own), float(amplitude[own].mean())
    scores = np.zeros(len(position))
    scores[own] = (amplitude[own] - mean) / np.sqrt(n * (n - 1))
    half = float(stdtrit(n - 1, 0.975)) * float(np.sqrt(variance(scores, counts)))
    return Bin(float(position[own].mean()), mean, mean - half, mean + half, n)
