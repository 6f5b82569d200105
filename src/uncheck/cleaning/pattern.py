"""A lattice as values: for each period and channel tiles that are multiplied by functions of local colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uncheck.cleaning.basis import functions, tonal
from uncheck.cleaning.drawing import draw, repeat, repeated
from uncheck.cleaning.windows import Grid, local_means
from uncheck.measuring.components import Component

Array = NDArray[np.float32]

#: Where the brightest colours make the lattice of pixels more than this steep, grey levels per grey level,
#: the colours it is computed of are cleaned first.
STEEP = 0.02


@dataclass(frozen=True, eq=False)
class Pattern:
    """The lattice of one period.

    Attributes:
        period: pixels per axis, 1 where it does not vary.
        tiles: (C, K, *period), coefficients of `windows.waves` for each function of `basis.tonal`.
        sharp: what the colours are that it depends on: 0 the local means, 1 those of each pixel; between
            them what lies between.
    """

    period: tuple[int, ...]
    tiles: Array
    sharp: float = 0.0

    def drawn(self, values: Array) -> Array:
        """Return the pattern in an array (*spatial, C) in grey levels, as its colours there make it."""
        if not self.sharp or not self.tiles[:, 1:].any():
            return self._smooth(values)
        drawn = self._by_pixel(values)
        if np.abs(self.tiles[:, 1:]).max() > STEEP * 127.5:
            drawn = self._by_pixel(values - drawn)
        return drawn

    def _smooth(self, values: Array) -> Array:
        """Draw it by the means around the nodes, linear between them."""
        grid = Grid(values.shape[:-1], self.period)
        varies = bool(self.tiles[:, 1:].any())
        if not varies:
            return repeated(self.tiles[:, 0], values.shape[:-1])
        means = local_means(values, grid)
        out = np.empty(values.shape, np.float32)
        for channel, tiles in enumerate(self.tiles):
            out[..., channel] = draw(tonal(means, channel), tiles, grid)
        return out

    def _by_pixel(self, values: Array) -> Array:
        """Draw it by the colour of each pixel, or by one between that and the local mean."""
        colours = values
        if self.sharp < 1:
            colours = smoothed(values, self.period)
            colours += np.float32(self.sharp) * (values - colours)
        out = np.empty(values.shape, np.float32)
        for channel, tiles in enumerate(self.tiles):
            one = np.zeros(values.shape[:-1], np.float32)
            repeat(one, tiles[0])
            for function, tile in zip(functions(colours, channel), tiles[1:], strict=True):
                if tile.any():
                    repeat(one, tile, function)
            out[..., channel] = one
        return out


def smoothed(values: Array, period: tuple[int, ...]) -> Array:
    """Return the local means of an array (*spatial, C), linear between the nodes."""
    grid = Grid(values.shape[:-1], period)
    means, flat = local_means(values, grid), np.zeros((1, *period), np.float32)
    flat[(0, *[0] * len(period))] = 1
    return np.stack([draw(means[..., c : c + 1], flat, grid) for c in range(values.shape[-1])], axis=-1)


def periods_of(components: Iterable[Component]) -> list[tuple[int, ...]]:
    """Return the periods that hold all components: those that divide another on every axis are part of it."""
    periods = sorted({c.period for c in components}, key=lambda p: (-int(np.prod(p)), p))
    kept: list[tuple[int, ...]] = []
    for period in periods:
        if not any(all(k % p == 0 for k, p in zip(one, period, strict=True)) for one in kept):
            kept.append(period)
    return kept
