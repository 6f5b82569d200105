"""Words for numbers and names, in every text the package writes."""

from __future__ import annotations

from collections.abc import Sequence

#: Entries that one line names.
MOST_NAMED = 3


def sizes(values: Sequence[float] | None) -> str:
    """Return [2, 2] as "2", [2, 1] as "2x1", None as "-"."""
    if not values:
        return "-"
    return f"{values[0]:g}" if len(set(values)) == 1 else "x".join(f"{value:g}" for value in values)


def levels(amplitude: float) -> str:
    """Return grey levels with two or three significant digits."""
    digits = 3 if amplitude < 0.1 else 2 if amplitude < 10 else 1
    return f"{amplitude:.{digits}f}"


def spans(numbers: Sequence[int]) -> str:
    """Return ascending whole numbers with their runs in short.

    >>> spans([2, 7, 8, 9, 10])
    '2, 7 to 10'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return listed_some(parts)


def chance(p_value: float) -> str:
    """Return a p-value; below 1e-300, where floating point ends, a bound."""
    return "< 1e-300" if p_value < 1e-300 else f"{p_value:.1g}"


def listed(words: Sequence[str]) -> str:
    """Return ["a", "b", "c"] as "a, b and c"."""
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def listed_some(words: Sequence[str], most: int = MOST_NAMED) -> str:
    """Return the first words between commas, and how many more there are."""
    rest = len(words) - most
    return ", ".join([*words[:most], *([f"{rest} more"] if rest > 0 else [])])


def shortened(name: str, most: int) -> str:
    """Return a name of at most so many characters: its end, which tells layers apart, after an ellipsis.

    >>> shortened("decoder.up_blocks.0.upsamplers.0", 16)
    '...upsamplers.0'
    """
    return name if len(name) <= most else "..." + name[3 - most :].lstrip(".")


def plural(count: int, noun: str, many: str = "") -> str:
    """Return a count with its noun; `many` is the plural that is not made with an s.

    >>> plural(1, "map"), plural(2, "map"), plural(2, "axis", "axes")
    ('1 map', '2 maps', '2 axes')
    """
    return f"{count} {noun if count == 1 else many or f'{noun}s'}"
