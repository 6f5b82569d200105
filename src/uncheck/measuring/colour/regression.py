"""Straight-line fits with errors that allow for unequal noise and correlated neighbours, and their curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d
from scipy.special import stdtr, stdtrit

from uncheck.plain import Plain

#: Columns whose values differ by less, in grey levels, do not vary.
FLAT = 1e-3

#: Errors of windows fewer than this many apart, along every axis, may be correlated.
REACH = 3


@dataclass(frozen=True, eq=False)
class Regression:
    """Least squares of values on 1 and some columns.

    `coefficients` (1 + columns,), the intercept first, and their standard `errors`; both 0 for columns that
    do not vary. `fitted` (windows,); `left_out` (windows,): what the fit without a window predicts for it.
    `freedom`: windows less coefficients.
    """

    coefficients: NDArray[np.float64]
    errors: NDArray[np.float64]
    fitted: NDArray[np.float64]
    left_out: NDArray[np.float64]
    freedom: int

    @property
    def slope_p_value(self) -> float:
        """Of the first column's coefficient being 0 (two-sided t-test); 1 if the column does not vary."""
        slope, error = float(self.coefficients[1]), float(self.errors[1])
        if slope == 0:
            return 1.0
        return float(2 * stdtr(self.freedom, -abs(slope) / error)) if error > 0 else 0.0


def fit(columns: NDArray[np.float64], values: NDArray[np.float64], counts: tuple[int, ...]) -> Regression:
    """Fit values ~ 1 + columns by least squares.

    With residuals e, leverages h, design X and scores g_w = (X'X)^-1 x_w e_w / (1 - h_w), the covariance is
    sum_vw k(v - w) g_v g_w', k falling linearly from 1 to 0 at three windows on each axis: HC3 widened for
    correlated neighbours. A variance is never taken below its HC3 value. Shapes: columns (windows, columns),
    values (windows,); `counts` are the windows per axis.

    Cost: O(windows columns^2). Source: MacKinnon & White, J. Econometrics 29 (1985), 305; Conley, J.
    Econometrics 92 (1999), 1.
    """
    # A column that only repeats the constant must not share its coefficient.
    varies = np.concatenate([[True], np.ptp(columns, axis=0) > FLAT])
    centre = columns.mean(axis=0)
    design = np.column_stack([np.ones(len(values)), columns - centre])[:, varies]
    inverse = np.linalg.pinv(design)
    leverage = np.einsum("wc,cw->w", design, inverse).clip(0, 1 - 1e-9)
    fitted = design @ (inverse @ values)
    jackknifed = (values - fitted) / (1 - leverage)
    # From the mean of the columns back to their zero.
    weights = np.zeros((len(varies), len(values)))
    weights[varies] = inverse
    weights[0] -= centre @ weights[1:]
    return Regression(
        coefficients=weights @ values,
        errors=np.sqrt([variance(row * jackknifed, counts) for row in weights]),
        fitted=fitted,
        left_out=values - jackknifed,
        freedom=len(values) - design.shape[1],
    )


def variance(scores: NDArray[np.float64], counts: tuple[int, ...]) -> float:
    """Return the variance of the sum of errors `scores` (windows,) of zero mean on a grid of windows."""
    spread = scores.reshape(counts)
    taper = 1 - np.abs(np.arange(1 - REACH, REACH)) / REACH
    for axis in range(len(counts)):
        spread = convolve1d(spread, taper, axis=axis, mode="constant")
    return float(max(scores @ scores, scores @ spread.ravel()))


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
    correlated neighbours as `fit` does. Both are (windows,), at least eight, in grey levels; `counts` are the
    windows per axis.

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
