"""A lattice as values: for each period and channel tiles that are multiplied by functions of local colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uncheck.cleaning.basis import tonal
from uncheck.cleaning.drawing import draw
from uncheck.cleaning.windows import Grid, coefficients
from uncheck.measuring.components import Component

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Pattern:
    """The lattice of one period.

    Attributes:
        period: pixels per axis, 1 where it does not vary.
        tiles: (C, K, *period), coefficients of `windows.waves` for each function of `basis.tonal`.
    """

    period: tuple[int, ...]
    tiles: Array

    def drawn(self, values: Array) -> Array:
        """Return the pattern in an array (*spatial, C) in grey levels, as its colours there make it."""
        grid = Grid(values.shape[:-1], self.period)
        means = local_means(values, grid)
        out = np.empty(values.shape, np.float32)
        for channel, tiles in enumerate(self.tiles):
            out[..., channel] = draw(tonal(means, channel), tiles, grid)
        return out


def local_means(values: Array, grid: Grid) -> Array:
    """Return the local mean colour at every node, (*nodes, C), free of the lattice."""
    flat = Grid(grid.shape, grid.period)
    return np.stack(
        [coefficients(one, flat)[(..., *[0] * len(grid.shape))] for one in np.moveaxis(values, -1, 0)], -1
    )


def periods_of(components: Iterable[Component]) -> list[tuple[int, ...]]:
    """Return the periods that hold all components: those that divide another on every axis are part of it."""
    periods = sorted({c.period for c in components}, key=lambda p: (-int(np.prod(p)), p))
    kept: list[tuple[int, ...]] = []
    for period in periods:
        if not any(all(k % p == 0 for k, p in zip(one, period, strict=True)) for one in kept):
            kept.append(period)
    return kept
