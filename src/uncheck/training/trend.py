"""Trend of the lattice over training, extrapolated to its end: does it fade?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, isfinite, log
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfinv
from scipy.stats import theilslopes

from uncheck.errors import UncheckError
from uncheck.measuring.components import VISIBLE
from uncheck.showing import Plotted
from uncheck.signals.levels import LEVELS

Verdict = Literal["fading", "will not fade", "clean", "too early"]

#: Measurements in the second half of the curve, below which nothing is said.
FEWEST = 8
#: Of those the latest at most, for the slope costs the square of their number.
MOST_MEASUREMENTS = 200
#: Smallest strength told apart from none, grey levels: logarithms need one.
FLOOR = 0.01
#: Without a planned end, as many times the steps so far are looked ahead.
AHEAD = 4.0
#: Latest measurements of which none may reach `visible` where the verdict is "clean".
LATEST = 3
#: Share of training before which nothing is said: every untrained network has a lattice, learning rates rise.
EARLIEST = 0.1


@dataclass(frozen=True)
class Trend(Plotted):
    """Verdict on the curve of a lattice's strength.

    Attributes:
        verdict: "clean", "fading", "will not fade" or "too early" to tell.
        slope: of log strength against log step: -1 halves it when the steps double. None where too early.
        slope_interval: its confidence interval.
        now: level of the curve at its last step, grey levels.
        at_end: expected at the end, grey levels, if the curve goes on as a power of the step; at most 255.
        at_end_interval: from the lowest to the highest of two continuations, as a power and as an exponential
            of the step, their uncertainty included.
        end: the step looked ahead to.
        visible: grey levels from which a lattice counts.
        count: measurements the slope is from.
        steps, strengths: the curve, all of it; not in `to_dict()`.

    Example:
        >>> lattice_trend([100, 200], [2.0, 1.0], end=10_000).verdict
        'too early'
    """

    verdict: Verdict
    slope: float | None
    slope_interval: tuple[float, float] | None
    now: float | None
    at_end: float | None
    at_end_interval: tuple[float, float] | None
    end: float
    visible: float
    count: int
    steps: tuple[float, ...] = field(default=(), repr=False)
    strengths: tuple[float, ...] = field(default=(), repr=False)

    def pixels(self) -> dict[str, Any]:
        """Return the curve."""
        return {"steps": self.steps, "strengths": self.strengths}

    def __str__(self) -> str:
        if self.at_end is None or self.at_end_interval is None or self.slope is None:
            return f"{self.verdict}: {self.count} measurements in the second half of the curve"
        low, high = self.at_end_interval
        return (
            f"{self.verdict}: {self.now:.2f} grey levels now, {self.at_end:.2f} ({low:.2f} to {high:.2f}) "
            f"expected at step {self.end:.0f}; strength goes with step^{self.slope:.2f}"
        )


def lattice_trend(
    steps: Sequence[float],
    strengths: Sequence[float],
    *,
    end: float | None = None,
    visible: float = VISIBLE,
    confidence: float = 0.99,
) -> Trend:
    """Predict from the strength so far whether a lattice fades before the end of training.

    Two models are fitted to the second half of the curve by the Theil-Sen slope: a power law (log strength
    against log step) and an exponential (log strength against step). Both are extrapolated to the end with a
    confidence interval, which combines Sen's interval of the slope with that of the median level. Both are
    widened for correlated neighbours by sqrt((1 + r) / (1 - r)), r their correlation.

        clean           the level and each of the last 3 measurements are below `visible`, and no continuation
                        reaches it
        fading          above it now, and the whole interval of both continuations lies below it at the end
        will not fade   the whole interval of both continuations lies at or above it at the end
        too early       anything else: fewer than 8 measurements in that half, the first tenth of training, or
                        continuations that disagree

    A falling curve "will not fade" only if even the exponential stays visible. Later changes of the learning
    rate or the loss are not foreseen.

    Args:
        steps: of the measurements, increasing, from 1 on; earlier ones are left out.
        strengths: grey levels, 0 or more, as `LatticeMetric` or the tracker give them.
        end: step at which training ends, above 0; None looks ahead to four times the last step.
        visible: grey levels from which a lattice counts, above 0.
        confidence: of each interval, between 0 and 1.

    Returns:
        The verdict and its numbers.

    Raises:
        UncheckError: steps that do not increase, lists of different lengths, negative or infinite values; an
            end, a level or a confidence that cannot be.

    Cost: that of n^2 / 2 slopes, n at most 200.
    Source: Sen, J. Amer. Statist. Assoc. 63 (1968), for the slope and its interval.

    Example:
        >>> steps = range(100, 2100, 100)
        >>> lattice_trend(steps, [800 / step for step in steps], end=10_000).verdict
        'fading'
    """
    planned = checked_end(end)
    checked_visible(visible)
    checked_share("confidence", confidence)
    t, y = _checked(steps, strengths)
    last = float(t[-1]) if len(t) else 0.0
    end = AHEAD * last if planned is None else planned
    curve = (tuple(t.tolist()), tuple(y.tolist()))
    late = t >= last / 2
    t, y = t[late][-MOST_MEASUREMENTS:], y[late][-MOST_MEASUREMENTS:]
    if len(t) < FEWEST or last < EARLIEST * end:
        return Trend("too early", None, None, None, None, None, end, visible, len(t), *curve)
    end = max(end, last)
    logs = np.log(np.maximum(y, FLOOR))
    power = _carried(np.log(t), logs, log(end), log(last), confidence)
    exponential = _carried(t, logs, end, last, confidence)
    low = min(power.low, exponential.low)
    high = max(power.high, exponential.high)
    edge = log(visible)
    verdict: Verdict = "too early"
    if high < edge and power.now < edge:
        # A few strong measurements at the end do not turn the line, but they are no clean end.
        verdict = "clean" if (y[-LATEST:] < visible).all() else "too early"
    elif high < edge:
        verdict = "fading"
    elif low >= edge:
        verdict = "will not fade"
    return Trend(
        verdict,
        power.slope,
        power.slopes,
        _exp(power.now),
        _exp(power.then),
        (_exp(low), _exp(high)),
        end,
        visible,
        len(t),
        *curve,
    )


class _Carried(NamedTuple):
    """Extrapolated straight line: its slope, and its values now and at the end with an interval."""

    slope: float
    slopes: tuple[float, float]
    now: float
    then: float
    low: float
    high: float


def _carried(
    x: NDArray[np.float64], y: NDArray[np.float64], end: float, now: float, confidence: float
) -> _Carried:
    slope, _, low, high = (float(v) for v in theilslopes(y, x, alpha=confidence))
    middle = float(np.median(x))
    level = float(np.median(y - slope * (x - middle)))
    rest = y - level - slope * (x - middle)
    correlation = float((rest[1:] * rest[:-1]).sum() / max(float((rest**2).sum()), 1e-300))
    # Short stretches underestimate it, by about (1 + 3 r) / n.
    correlation = min(0.95, max(0.0, correlation + (1 + 3 * correlation) / len(x)))
    wider = ((1 + correlation) / (1 - correlation)) ** 0.5
    low, high = slope + wider * (low - slope), slope + wider * (high - slope)
    # The interval of a median, in terms of the spread of what is left: 1.25 sd / sqrt(n).
    spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
    z = float(np.sqrt(2) * erfinv(confidence))
    slack = z * 1.2533 * wider * max(spread, 1e-6) / len(x) ** 0.5
    ahead = end - middle
    then = level + slope * ahead
    down = np.hypot((slope - low) * ahead, slack)
    up = np.hypot((high - slope) * ahead, slack)
    return _Carried(
        slope, (low, high), level + slope * (now - middle), then, float(then - down), float(then + up)
    )


def _exp(value: float) -> float:
    """Return grey levels from their logarithm, cut at white; 0 at FLOOR."""
    if value <= log(FLOOR) + 1e-5:
        return 0.0
    return exp(value) if value < log(LEVELS) else LEVELS


def _checked(
    steps: Sequence[float], strengths: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    t, y = np.asarray(steps, float), np.asarray(strengths, float)
    if t.ndim != 1 or t.shape != y.shape:
        raise UncheckError(
            f"{t.size} steps and {y.size} strengths are no curve; give one strength for each step"
        )
    if not (np.isfinite(t).all() and np.isfinite(y).all() and (y >= 0).all()):
        raise UncheckError("steps and strengths must be finite, strengths 0 or more; leave the others out")
    if (np.diff(t) <= 0).any():
        raise UncheckError("steps must increase; sort the curve and leave repeated steps out")
    return t[t >= 1], y[t >= 1]


def checked_visible(visible: float) -> float:
    """Return `visible`; UncheckError unless it is above 0."""
    if not (isinstance(visible, int | float) and isfinite(visible) and visible > 0):
        raise UncheckError(f"visible must be above 0 grey levels, not {visible}; 0.3 is just seen")
    return visible


def checked_share(name: str, value: float) -> float:
    """Return `value`; UncheckError unless it lies between 0 and 1."""
    if not (isinstance(value, int | float) and 0 < value < 1):
        raise UncheckError(f"{name} must lie between 0 and 1, not {value}")
    return value


def checked_end(end: Any) -> float | None:
    """Return `end` as a float, or None; UncheckError unless it is a step above 0."""
    if end is not None and not (isinstance(end, int | float) and isfinite(end) and end > 0):
        raise UncheckError(
            f"training cannot end at step {end}; give a step above 0, or None if it is not known"
        )
    return None if end is None else float(end)
