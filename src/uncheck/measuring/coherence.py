"""A second test of a component: the agreement of windows of the picture on the phase of its lines."""

from __future__ import annotations

from math import ceil, hypot, prod

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Component, Lattice
from uncheck.measuring.places.phasors import PhasorLines, agreement, phasors, windowed

#: Side of a window, pixels, at least; four periods of a line fit into one.
WINDOW = 16

#: Windows, counted without overlap, below which the question is not asked.
ENOUGH = 24

#: Lines of a component that are asked, strongest first.
LINES_ASKED = 4

#: p-value that the windows' agreement must stay below: a thousandth, for each of the thousand lines that the
#: harmonic test chose from. Lattices at the detection limit of that test stay below 1e-80 in photographs.
AGREE = 1e-6


def confirmed(array: NDArray[np.float32], lattice: Lattice) -> Lattice:
    """Move components on whose phase the windows do not agree to the traces."""

    def agree(component: Component) -> bool:
        p_value = coherence(array, component)
        return p_value is None or p_value < AGREE

    return lattice.keeping(agree)


def coherence(array: NDArray[np.float32], component: Component) -> float | None:
    """Return the p-value of the windows agreeing by chance on the phase of the component's lines.

    All windows of the picture are one box of `places.phasors`: a window has a phase and no weight. So busy
    windows count no more than quiet ones, and one striped object cannot pass for a lattice of the whole
    picture, as it can in the harmonic test, whose noise estimate comes from a narrow band only. The smallest
    p counts, times lines and channels.

    Args:
        array: (H, W, C) grey levels.
        component: one found in it.

    Returns:
        p in 0..1, or None where the picture holds fewer than 24 windows, or is not a picture.

    Cost: O(4 H W C) per line, 8 lines at most; memory four float32 copies of the picture for a moment.
    """
    if array.ndim != 3:
        return None
    asked = sorted(component.lines, key=lambda line: -line.amplitude)[:LINES_ASKED]
    planes = np.ascontiguousarray(np.moveaxis(array, -1, 0), np.float32)
    p_values = []
    for line in asked:
        size = WINDOW * ceil(4 / hypot(*(min(x, 1 - x) for x in line.frequency)) / WINDOW)
        if min(array.shape[:2]) < size or prod(n / size for n in array.shape[:2]) < ENOUGH:
            continue
        one = PhasorLines(np.array([line.frequency]), np.array([line.real]))
        local = windowed(planes, one.frequencies, size)
        if component.signed:
            local *= _sides(planes, size)
        units = phasors(local, one.real)
        count = units.shape[1] * units.shape[2]
        log_p = agreement(units.sum(axis=(1, 2)), count, one)
        p_values.append(len(planes) * float(np.exp(-log_p.max().astype(float))))
    return min(1.0, len(asked) * min(p_values)) if p_values else None


def _sides(planes: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return +1 where a window is brighter than the picture, -1 where it is darker, (rows, columns, 1)."""
    bright = planes.mean(axis=0, keepdims=True)
    means = windowed(bright, np.zeros((1, 2)), size)[0].real
    return np.asarray(np.sign(means - bright.mean()), np.float32)
