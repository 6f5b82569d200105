"""Checks of components found: harmonics of a fundamental, and random bands."""

from __future__ import annotations

from dataclasses import replace
from math import lcm

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.components import Component, Lattice, Line
from uncheck.measuring.eigenspectra import eigencoefficients
from uncheck.measuring.lattice import find_lattice
from uncheck.measuring.support import Support
from uncheck.measuring.tapers import half_width
from uncheck.signals.levels import means_along

#: Lines of a component compared, strongest first.
LINES_COMPARED = 8

#: Share of a harmonic's power that the fundamental's own envelope must leave unexplained for the harmonic to
#: stand on its own. Patterns laid over photographs leave up to 0.2, two stages of an untrained generator 0.4.
UNEXPLAINED = 0.3


def attribute_harmonics(array: NDArray[np.float32], lattice: Lattice) -> Lattice:
    """Merge components that are harmonics of another one into it.

    A pattern of period P has lines at all multiples of 1/P. Some of these are lines of a shorter period d
    that divides P. They are a lattice of their own in two cases: they are stronger than all other lines of P
    together, or their strength varies over the picture in another way. All lines of one pattern share an
    envelope, Y_k(f) = mu_f E_k. E is the first singular vector of the fundamental's eigencoefficients; the
    share of the power at d's lines that it does not explain, less noise, is compared with `UNEXPLAINED`.
    Merged components carry the amplitude of all their lines and list their `harmonics`.

    Cost: nothing unless one period found divides another; then O(pixels) for each of up to 8 lines of both,
    and of the frequencies beside them.
    """
    everything = sorted((*lattice.present, *lattice.traces), key=lambda c: -int(np.prod(c.period)))
    kept: list[Component] = []
    for component in everything:
        hosts = [h for h in kept if _divides(component, h) and _weaker(component, h, everything)]
        host = max(hosts, key=lambda h: h.amplitude, default=None)
        if host is None or _unexplained(array, component, host) > UNEXPLAINED:
            kept.append(component)
        else:
            kept[kept.index(host)] = host.with_harmonic(component)
    return lattice.holding(kept)


def _divides(short: Component, long: Component) -> bool:
    return short.period != long.period and short.divides(long)


def _weaker(component: Component, host: Component, everything: list[Component]) -> bool:
    """Test whether it is weaker than all else that repeats with the host's period, its harmonics left out."""
    others = [
        c.amplitude
        for c in everything
        if c is not component
        and (c.period == host.period or _divides(c, host))
        and not _divides(c, component)
    ]
    return float(np.hypot.reduce(others)) > component.amplitude


def _unexplained(array: NDArray[np.float32], harmonic: Component, host: Component) -> float:
    asked = harmonic.lines[:LINES_COMPARED]
    beside = [_beside(line, array.shape[:-1]) for line in asked]
    wanted = [line.frequency for line in (*host.lines[:LINES_COMPARED], *asked)]
    rows = eigencoefficients(array, [*wanted, *(f for some in beside for f in some)])
    hosts = len(wanted) - len(asked)
    envelope = np.linalg.svd(rows[:hosts].reshape(-1, rows.shape[-1]), full_matrices=False)[2][0]
    noises = iter((np.abs(rows[len(wanted) :]) ** 2).sum(axis=(1, 2)))
    power = left = 0.0
    for own, some in zip(rows[hosts : len(wanted)], beside, strict=True):
        noise = float(np.mean([next(noises) for _ in some])) if some else 0.0
        whole = float((np.abs(own) ** 2).sum())
        along = float((np.abs(own @ envelope.conj()) ** 2).sum())
        power += whole - noise
        left += whole - along - noise * (1 - 1 / len(envelope))
    return max(0.0, left / power) if power > 0 else 0.0


def _beside(line: Line, shape: tuple[int, ...]) -> list[tuple[float, ...]]:
    """List frequencies right beside the line, where there is room for them between lines."""
    out = []
    for axis, n in enumerate(shape):
        step = 2.5 * half_width(n, len(shape))
        if step < 1 / (4 * max(line.period)):
            for sign in (-1, 1):
                out.append(tuple(f + sign * step * (a == axis) for a, f in enumerate(line.frequency)))
    return out


def without_bands(array: NDArray[np.float32], found: Lattice, support: Support | None = None) -> Lattice:
    """Drop lines that are not significant in the one-axis profile of the array.

    The harmonic test compares a line (f, 0, 0) with the spectrum around it in all directions. Where whole
    slices differ at random, as the first and last of a padded network do, all power lies at (., 0, 0) and
    exceeds that spectrum everywhere. So the array is averaged over the axes along which a line does not vary,
    and the line is tested again in this profile, where such power is the background.

    Cost: one mean over the array and one small test for each direction of lines found.
    """
    if not found.present:
        return found
    kept = [left for c in found.present if (left := _significant(array, c, found, support))]
    return replace(
        found,
        present=tuple(c for c in kept if c.amplitude >= found.threshold),
        traces=(*(c for c in kept if c.amplitude < found.threshold), *found.traces),
    )


def _significant(
    array: NDArray[np.float32], component: Component, found: Lattice, support: Support | None
) -> Component | None:
    by_axes: dict[tuple[int, ...], list[Line]] = {}
    for line in component.lines:
        flat = tuple(axis for axis, period in enumerate(line.period) if period == 1)
        by_axes.setdefault(flat, []).append(line)
    kept = [
        line
        for flat, lines in by_axes.items()
        if not flat
        or _in_profile(
            means_along(array, flat), lines, found.significance, support.along(flat) if support else None
        )
        for line in lines
    ]
    if not kept:
        return None
    if len(kept) == len(component.lines):
        return component
    assembled = Component.of(kept, component.p_value, component.channel_p_values)
    return replace(assembled, harmonics=component.harmonics, signed=component.signed)


def _in_profile(
    profile: NDArray[np.float32], lines: list[Line], significance: float, support: Support | None
) -> bool:
    period = lcm(*(p for line in lines for p in line.period))
    try:
        found = find_lattice(
            profile, periods=[period], threshold=0.0, significance=significance, support=support
        )
    except UncheckError:
        return False  # too short to tell
    return bool(found.present)
