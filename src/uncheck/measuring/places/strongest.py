"""The window of a picture in which a known lattice is strongest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.lines import waves


def strongest_place(
    levels: NDArray[np.float32], frequencies: Sequence[tuple[float, ...]], size: int
) -> tuple[int, int]:
    """Return row and column of the `size` x `size` window in which the lattice is strongest.

    In each window (half a window apart) the power at the lattice's frequencies is compared with that two
    cycles per window beside them, on the axis with more: an edge, which has all frequencies of one axis, is
    no lattice.

    Args:
        levels: (H, W, C) grey levels.
        frequencies: of the lattice, cycles per pixel along rows and columns.
        size: pixels.

    Cost: five passes over the picture per line.
    """
    grey = levels.mean(axis=-1, dtype=np.float64)
    sides = [min(size, n) for n in grey.shape]
    beside = 2 * np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]) / sides
    probed = (beside[:, None] + np.reshape(frequencies, (-1, 2))).reshape(-1, 2)
    rows, columns = (waves(f, n) for n, f in zip(sides, probed.T, strict=True))

    def excess(place: tuple[int, int]) -> float:
        window = grey[place[0] : place[0] + size, place[1] : place[1] + size]
        power = np.abs((rows @ window * columns).sum(axis=1)).reshape(5, -1) ** 2
        return float((power[0] - np.maximum(power[1] + power[2], power[3] + power[4]) / 2).sum())

    tops, lefts = (range(0, max(1, n - size + 1), max(1, size // 2)) for n in grey.shape)
    return max(product(tops, lefts), key=excess)
