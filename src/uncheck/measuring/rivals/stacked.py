"""Strong patterns: whether they are a lattice of stacked strides that lies on content."""

from __future__ import annotations

from math import lcm

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Lattice

#: Components that count: of a level, and a quarter of the strongest.
COUNTED, COUNTED_SHARE = 1.0, 0.25

#: Periods that stacked strides of 2 and 3 and patches have, the same along both axes; shorter ones are never
#: strong by themselves.
STACKED = (6, 8, 9, 12, 14, 16, 32)

#: Such a pattern is a lattice on content where the means of its cells, which do not hold it, vary by this
#: share of it: 0.4 or more in photographs and stylised pictures under lattices of up to 40 levels, at most
#: 0.16 in cloth of these periods. Prints of photographs are stronger than `STACKED_MOST`.
CONTENT = 0.27
STACKED_MOST = 75.0


def is_stacked(array: NDArray[np.float32], lattice: Lattice) -> bool:
    """Test whether a strong pattern has a period of stacked strides and lies on content of its own."""
    rows, columns = _counted_periods(lattice)
    if rows != columns or rows not in STACKED or lattice.strength > STACKED_MOST:
        return False
    return on_content(array, lattice)


def on_content(array: NDArray[np.float32], lattice: Lattice) -> bool:
    """Test whether a pattern lies on content of its own.

    Equation: std over cells of the mean of a cell of one period >= `CONTENT` * strength.
    """
    return cell_contrast(array, *_counted_periods(lattice)) >= CONTENT * lattice.strength


def cell_contrast(array: NDArray[np.float32], rows: int, columns: int) -> float:
    """Return the standard deviation of the means of cells of a period, of all channels together."""
    down, across = (n // period for n, period in zip(array.shape[:2], (rows, columns), strict=True))
    cells = array[: down * rows, : across * columns].reshape(down, rows, across, columns, -1)
    return float(np.sqrt(cells.mean(axis=(1, 3)).var(axis=(0, 1)).mean())) if cells.size else 0.0


def common_period(lattice: Lattice) -> int:
    """Return the period, along the worse axis, that the components that count share; pixels."""
    return max(_counted_periods(lattice))


def _counted_periods(lattice: Lattice) -> tuple[int, int]:
    """Return the period along each axis that the components that count share; pixels."""
    least = max(COUNTED, COUNTED_SHARE * max((c.amplitude for c in lattice.present), default=0.0))
    periods = [c.period for c in lattice.present if c.amplitude >= least]
    rows, columns = (lcm(*along) for along in zip(*periods, strict=True)) if periods else (1, 1)
    return rows, columns
