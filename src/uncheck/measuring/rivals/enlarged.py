"""Pictures enlarged by repeating pixels (nearest neighbour)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Lattice
from uncheck.measuring.lattice import find_lattice

#: Smallest enlargement told from a picture that happens to have a few equal rows.
SMALLEST = 1.1


def is_enlarged(array: NDArray[np.float32], lattice: Lattice) -> bool:
    """Test whether rows and columns were repeated evenly, and the picture before had no lattice.

    Enlarging by r, whole or not, turns a trace of period P into one of period r P, or leaves one of the
    beat of the repetitions; either alone may pass the threshold.

    Cost: a pass over the array, and the test of the smaller one.
    """
    small = before_repetition(array) if lattice.present and array.ndim == 3 else None
    if small is None or min(small.shape[:2]) < 4:
        return False
    return not find_lattice(small, threshold=lattice.threshold, significance=lattice.significance).present


def before_repetition(array: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Remove repeated rows and columns; None unless both were repeated evenly.

    Args:
        array: (H, W, C); rows and columns may have been cropped anywhere.
    """
    kept = []
    for axis in (0, 1):
        other = tuple(a for a in range(3) if a != axis)
        fresh = np.flatnonzero((np.diff(array, axis=axis) != 0).any(axis=other)) + 1
        # Every pixel becomes r wide, rounded down or up; the ends may be cut.
        widths = np.diff(fresh)
        if len(widths) < 2 or widths.mean() < SMALLEST or np.ptp(widths) > 1:
            return None
        kept.append((float(widths.mean()), np.concatenate([[0], fresh])))
    (factor, rows), (other_factor, columns) = kept
    # Ends count for at most two pixels.
    if abs(factor / other_factor - 1) > 4 / min(len(rows), len(columns)):
        return None
    small: NDArray[np.float32] = array[rows][:, columns]
    return small
