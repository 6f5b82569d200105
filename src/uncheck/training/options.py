"""Checks of what users give the monitor and its verdict."""

from __future__ import annotations

from math import isfinite
from typing import Any

from uncheck.errors import UncheckError
from uncheck.measuring.frequencies import checked_periods


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


def checked_every(every: Any) -> int:
    """Return `every`; UncheckError unless it is a whole number from 1."""
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise UncheckError(f"every must be a whole number of steps from 1, not {every}")
    return every


def checked_end(end: Any) -> float | None:
    """Return `end` as a float, or None; UncheckError unless it is a step above 0."""
    if end is not None and not (isinstance(end, int | float) and isfinite(end) and end > 0):
        raise UncheckError(
            f"training cannot end at step {end}; give a step above 0, or None if it is not known"
        )
    return None if end is None else float(end)


def chosen_periods(periods: Any) -> tuple[int, ...] | None:
    """Return the periods, or None; UncheckError if there are none or one of them is no period."""
    if periods is None:
        return None
    if not (chosen := checked_periods(periods)):
        raise UncheckError(
            "periods are empty; give some, such as (2, 4, 8), or None for those of the network"
        )
    return chosen
