"""Random bands: rows, columns or slices that differ at random have no period and are no lattice."""

from __future__ import annotations

from dataclasses import replace
from math import lcm

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.components import Component, Lattice, Line
from uncheck.measuring.lattice import find_lattice


def without_bands(array: NDArray[np.float32], found: Lattice) -> Lattice:
    """Drop lines that are not significant in the one-axis profile of the array.

    The harmonic test compares a line (f, 0, 0) with the spectrum around it in all directions. Where whole
    slices differ at random, as the first and last of a padded network do, all power lies at (., 0, 0) and
    exceeds that spectrum everywhere. So the array is averaged over the axes along which a line does not vary,
    and the line is tested again in this profile, where such power is the background.

    Args:
        array: (*spatial, C) grey levels, as given to `find_lattice`.
        found: the lattice found in it.

    Cost: one mean over the array and one small test for each direction of lines found.
    """
    if not found.present:
        return found
    kept = [left for c in found.present if (left := _significant(array, c, found))]
    return replace(
        found,
        present=tuple(c for c in kept if c.amplitude >= found.threshold),
        traces=(*(c for c in kept if c.amplitude < found.threshold), *found.traces),
    )


def _significant(array: NDArray[np.float32], component: Component, found: Lattice) -> Component | None:
    by_axes: dict[tuple[int, ...], list[Line]] = {}
    for line in component.lines:
        flat = tuple(axis for axis, period in enumerate(line.period) if period == 1)
        by_axes.setdefault(flat, []).append(line)
    kept = [
        line
        for flat, lines in by_axes.items()
        if not flat or _in_profile(array.mean(axis=flat), lines, found.significance)
        for line in lines
    ]
    if not kept:
        return None
    if len(kept) == len(component.lines):
        return component
    assembled = Component.of(kept, component.p_value, component.channel_p_values)
    return replace(assembled, harmonics=component.harmonics, signed=component.signed)


def _in_profile(profile: NDArray[np.float32], lines: list[Line], significance: float) -> bool:
    period = lcm(*(p for line in lines for p in line.period))
    try:
        found = find_lattice(profile, periods=[period], threshold=0.0, significance=significance)
    except UncheckError:
        return False  # too short to tell
    return bool(found.present)
