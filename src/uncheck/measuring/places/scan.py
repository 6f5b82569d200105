"""A scan of a picture for boxes of windows that agree on the lines of one period."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from uncheck.measuring.places.phasors import PhasorLines, agreement, box_sums, phasors

#: Sides in pixels of the boxes of windows that are asked together, and the fewest windows per side.
SCALES = (64, 128, 256)
FEWEST = 4


@dataclass(frozen=True)
class Boxes:
    """Boxes of `sides` windows on rows and columns, `steps` windows apart, about `pixels` wide."""

    pixels: int
    sides: tuple[int, int]
    steps: tuple[int, int]

    def count(self, grid: tuple[int, ...]) -> int:
        """Count the boxes on a `grid` of (rows, columns) windows."""
        return prod(
            (n - side) // step + 1 for n, side, step in zip(grid, self.sides, self.steps, strict=True)
        )

    def around(self, grid: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the box around each window: box rows (rows, 1) and box columns (columns,)."""
        out = []
        for n, side, step in zip(grid, self.sides, self.steps, strict=True):
            nearest = np.rint((np.arange(n) - (side - 1) / 2) / step)
            out.append(np.clip(nearest, 0, (n - side) // step).astype(np.intp))
        return out[0][:, None], out[1]


@dataclass(frozen=True, eq=False)
class Scan:
    """The smallest boxes that agree: `p_value` of each, corrected, and of each line alone, at its best."""

    boxes: Boxes
    p_value: NDArray[np.float64]
    p_lines: NDArray[np.float64]


def scales(grid: tuple[int, ...], size: int) -> list[Boxes]:
    """Return boxes of the sides in SCALES, in windows of `size` pixels, that fit, a quarter side apart."""
    out: dict[tuple[int, int], Boxes] = {}
    for pixels in SCALES:
        side = max(FEWEST, 2 * pixels // size)
        sides = (min(side, grid[0]), min(side, grid[1]))
        steps = (max(1, sides[0] // 4), max(1, sides[1] // 4))
        out.setdefault(sides, Boxes((side + 1) * size // 2, sides, steps))
    return list(out.values())


def scan(local: NDArray[Any], lines: PhasorLines, size: int, tried: float, significance: float) -> Scan:
    """Find the smallest scale at which a box is significant; else the one with the smallest p.

    Args:
        local: (C, rows, columns, F) from `windowed`; overwritten.
        lines: F of them.
        size: side of a window, pixels.
        tried: how many such scans there are, to correct for; boxes, lines and channels are counted here.
        significance: corrected p-value.

    Cost: O(4 C rows columns F). Memory: twice `local`.
    """
    grid = local.shape[1:3]
    units = phasors(local, lines.real)
    several = scales(grid, size)
    tried *= sum(boxes.count(grid) for boxes in several)
    best: Scan | None = None
    for boxes in several:
        each = agreement(box_sums(units, boxes.sides, boxes.steps), prod(boxes.sides), lines)
        p_value = np.minimum(1.0, tried * _combined(each))
        if best is None or p_value.min() < best.p_value.min():
            alone = tried * local.shape[0] * local.shape[3] * np.exp(-each.max(axis=(0, 1, 2)).astype(float))
            best = Scan(boxes, p_value, np.minimum(1.0, alone))
        if p_value.min() < significance:
            break
    assert best is not None
    return best


def _combined(each: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return twice the smaller of smallest p and Fisher's sum of -log p (C, rows, columns, F), by box."""
    count = each.shape[0] * each.shape[-1]
    smallest = count * np.exp(-each.max(axis=(0, 3)).astype(float))
    fisher = chdtrc(2 * count, 2 * each.sum(axis=(0, 3), dtype=np.float64))
    return np.asarray(2 * np.minimum(smallest, fisher))
