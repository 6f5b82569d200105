"""Drawings: several flat colours, such as the windows of a screen or the areas of a chart."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

#: Side of the blocks looked at, and where their grids begin: blocks of JPEG are flat on their own grid alone.
BLOCK, STARTS = 8, ((0, 0), (4, 4), (2, 6))

#: Share of the blocks beside the background that are flat: 0.05 or more in screenshots (one of sixteen:
#: 0.035), 0 in photographs and outputs of networks on a background of one colour.
ALSO_FLAT = 0.04


def is_drawing(array: NDArray[np.float32]) -> bool:
    """Test whether a picture (H, W, C) with a flat background has flat places of other colours beside it.

    Black and white do not count: photographs and networks saturate.

    Cost: three passes over the array.
    """
    return all(_also_flat(array[row:, column:]) >= ALSO_FLAT for row, column in STARTS)


def _also_flat(array: NDArray[np.float32]) -> float:
    """Return the share of flat blocks of any but the most frequent colour, among all but those of that."""
    rows, columns = (n // BLOCK for n in array.shape[:2])
    if not rows or not columns:
        return 0.0
    low, high = block_ends(array)
    flat = low[(low == high).all(axis=-1)]
    if not len(flat):
        return 0.0
    ((background, count),) = Counter(map(tuple, flat.tolist())).most_common(1)
    others = flat[(flat != background).any(axis=-1)]
    seen = ((others > 2) & (others < 253)).any(axis=-1)
    return float(seen.sum() / max(1, rows * columns - count))


def block_ends(array: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the least and the largest values in blocks of 8 x 8 pixels, (rows, columns, C) each."""
    rows, columns = (n // BLOCK for n in array.shape[:2])
    # Whole rows first: reducing along pixels of three channels is slow.
    blocks = array[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, -1)
    low, high = (
        ends(ends(blocks, axis=1).reshape(rows, columns, BLOCK, -1), axis=2) for ends in (np.amin, np.amax)
    )
    return low, high
