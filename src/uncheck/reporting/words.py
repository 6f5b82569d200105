"""Numbers and lists as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from uncheck.reporting.as_json import Report

#: Characters of a full bar.
BAR = 10

#: Components that one line names.
MOST_COMPONENTS = 3

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def sizes(values: Sequence[float] | None) -> str:
    """Return [2, 2] as "2", [2, 1] as "2x1", None as "-"."""
    if not values:
        return "-"
    return f"{values[0]:g}" if len(set(values)) == 1 else "x".join(f"{value:g}" for value in values)


def levels(amplitude: float) -> str:
    """Return grey levels with two or three significant digits."""
    digits = 3 if amplitude < 0.1 else 2 if amplitude < 10 else 1
    return f"{amplitude:.{digits}f}"


def chance(p_value: float) -> str:
    """Return a p-value; below 1e-300, where floating point ends, a bound."""
    return "< 1e-300" if p_value < 1e-300 else f"{p_value:.1g}"


def bar(share: float | None) -> str:
    """Return a share of 0..1 as a bar and a percentage, None as "-"."""
    if share is None:
        return "-"
    whole, rest = divmod(round(min(max(share, 0.0), 1.0) * BAR * 8), 8)
    drawn = "█" * whole + (_EIGHTHS[rest] if rest else "")
    return f"{drawn.ljust(BAR)} {share:4.0%}"


def components(lattice: Sequence[Report] | None, nothing: str = "none") -> str:
    """Return a lattice in a line, as "period 4: 1.20, period 2: 0.45"."""
    named = [f"period {sizes(c['period'])}: {levels(c['amplitude'])}" for c in lattice or ()]
    return listed_some(named) or nothing


def listed(words: Sequence[str]) -> str:
    """Return ["a", "b", "c"] as "a, b and c"."""
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def listed_some(words: Sequence[str]) -> str:
    """Return the first words between commas, and how many more there are."""
    rest = len(words) - MOST_COMPONENTS
    return ", ".join([*words[:MOST_COMPONENTS], *([f"{rest} more"] if rest > 0 else [])])


def plural(count: int, noun: str) -> str:
    """Return 1, "map" as "1 map", and 2, "map" as "2 maps"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
