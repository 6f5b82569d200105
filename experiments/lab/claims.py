"""A claim's verdict, and the numbers it rests on as text."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import mean, stdev

#: The outcomes a claim can have; "depends on ..." names what.
CONFIRMED, REFUTED, OPEN = "confirmed", "refuted", "open"


def verdict(outcome: str, came_out: str) -> dict[str, str]:
    """`outcome`: confirmed, refuted, open (not measured), or "depends on ..."; `came_out`: what was seen."""
    known = outcome in (CONFIRMED, REFUTED, OPEN) or outcome.startswith("depends on ")
    if not known:
        raise ValueError(f"outcome {outcome!r}: give confirmed, refuted, open, or depends on ...")
    return {"outcome": outcome, "came_out": came_out}


def holds(condition: bool) -> str:
    """Of a claim that is either so or not."""
    return CONFIRMED if condition else REFUTED


def spread(values: Iterable[float], digits: int = 2) -> str:
    """Mean and standard deviation over seeds: "1.20 ± 0.10"."""
    seen = list(values)
    if not seen:
        return "not measured"
    said = f"{mean(seen):.{digits}f}"
    return said if len(seen) < 2 else f"{said} ± {stdev(seen):.{digits}f}"
