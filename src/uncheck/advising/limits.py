"""Limits in words: how strong a lattice a verdict of clean could have missed."""

from __future__ import annotations

from collections.abc import Sequence

from uncheck.advising.fault import Report
from uncheck.advising.scale import Scale
from uncheck.words import listed_some, sizes

#: Periods that a sentence gives a limit for.
MOST_LIMITS = 4


def limit_words(limits: Sequence[Report], scale: Scale, most: int = MOST_LIMITS, *, rest: bool = True) -> str:
    """Return limits, the worst first: "0.30 grey levels (period 4), 0.14 (period 2)"; empty if none."""
    ordered = sorted(limits, key=lambda one: -one.get("db", one["amplitude"]))
    named = [
        f"{scale.strength(one) if i else scale.strong(one)} (period {sizes(one['period'])})"
        for i, one in enumerate(ordered)
    ]
    return listed_some(named if rest else named[:most], most)
