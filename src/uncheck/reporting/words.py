"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Characters of a full bar.
BAR = 10

#: Components that one line names.
MOST = 3

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def sizes(values: Sequence[float] | None) -> str:
    """[2, 2] as "2", [2, 1] as "2x1", None as "-"."""
    if not values:
        return "-"
    return f"{values[0]:g}" if len(set(values)) == 1 else "x".join(f"{value:g}" for value in values)


def levels(amplitude: float) -> str:
    """Grey levels with two or three digits that matter."""
    return (
        f"{amplitude:.3f}"
        if amplitude < 0.1
        else f"{amplitude:.2f}"
        if amplitude < 10
        else f"{amplitude:.1f}"
    )


def chance(p_value: float) -> str:
    """A p-value; what floating point can no longer tell from 0 is said to be below the smallest."""
    return "< 1e-300" if p_value < 1e-300 else f"{p_value:.1g}"


def bar(share: float | None) -> str:
    """A share of 0..1 as a bar and a percentage, None as "-"."""
    if share is None:
        return "-"
    whole, rest = divmod(round(min(max(share, 0.0), 1.0) * BAR * 8), 8)
    drawn = "█" * whole + (_EIGHTHS[rest] if rest else "")
    return f"{drawn.ljust(BAR)} {share:4.0%}"


def components(lattice: Sequence[Mapping[str, Any]] | None, nothing: str = "none") -> str:
    """A lattice in a line, as "period 4: 1.20, period 2: 0.45"; no more than its MOST strongest."""
    if not lattice:
        return nothing
    shown = [f"period {sizes(c['period'])}: {levels(c['amplitude'])}" for c in lattice[:MOST]]
    return ", ".join([*shown, *([f"{len(lattice) - MOST} more"] if len(lattice) > MOST else [])])


def listed(words: Sequence[str]) -> str:
    """["a", "b", "c"] as "a, b and c"."""
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)
