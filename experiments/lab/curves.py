"""Curves over the steps of a training: their level at the end, and whether they stall."""

from __future__ import annotations

from functools import cache
from math import log
from statistics import mean
from typing import Any, NamedTuple

import numpy as np

#: Values below it are drawn and fitted as it.
SMALLEST = 1e-3


def late(row: dict[str, Any], key: str) -> float:
    """Mean of row[key] over the second half of row["steps"]."""
    half = row["steps"][-1] / 2
    return mean(value for step, value in zip(row["steps"], row[key], strict=True) if step >= half)


class PowerLaw(NamedTuple):
    """y = scale step^-exponent + floor, and the root mean square of log(fit / y) that is left."""

    scale: float
    exponent: float
    floor: float
    error: float

    def at(self, step: float) -> float:
        return float(self.scale * step**-self.exponent + self.floor)


def power_law(steps: list[float], values: list[float], *, start: float) -> PowerLaw:
    """The power law with a floor nearest to the curve from step `start` on, in the logarithm.

    Exponent 0.01 to 5, floor 0 or more: a floor of 0 goes to nothing, one near the last value has stalled.
    """
    return _fitted(tuple((s, max(v, SMALLEST)) for s, v in zip(steps, values, strict=True) if s >= start))


@cache
def _fitted(points: tuple[tuple[float, float], ...]) -> PowerLaw:
    # Verdicts and figures ask for the same fits, at tenths of a second each.
    from scipy.optimize import least_squares

    t = np.log([s for s, _ in points])
    y = np.log([v for _, v in points])
    low, high = float(y.min()), float(y.max())

    def rest(p: Any) -> Any:
        return np.logaddexp(p[0] - p[1] * t, p[2]) - y

    # The floor is a logarithm, too: a thousandth of the least value stands for none.
    bounds = ([low - 30, 0.01, low - log(1000)], [high + 60, 5.0, high])
    best = min(
        (
            least_squares(rest, (high + b * t[0], b, low + log(c)), bounds=bounds, xtol=1e-10, ftol=1e-10)
            for b in (0.3, 1.0)
            for c in (0.01, 0.9)
        ),
        key=lambda found: found.cost,
    )
    a, b, c = best.x
    error = float(np.sqrt(np.mean(rest(best.x) ** 2)))
    return PowerLaw(float(np.exp(a)), float(b), float(np.exp(c)), error)
