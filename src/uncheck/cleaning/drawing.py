"""Draw a lattice: tiles whose amplitudes vary from node to node, linearly between them."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from uncheck.cleaning.windows import Grid, waves

Array = NDArray[np.float32]


def draw(amplitudes: Array, tiles: Array, grid: Grid) -> Array:
    """Return the lattice of one channel (*spatial), of amplitudes (*nodes, K) and coefficients (K, *period).

    sum_k b_k(x) T_k[x mod P], b_k multilinear between the nodes: one matrix product for all cells.

    Cost: 2^n K multiplications per pixel of n axes; memory one channel.
    """
    ndim, cells = len(grid.shape), grid.cells
    corners, patterns = [], []
    pattern = _pattern(tiles, grid)
    for corner in product((0, 1), repeat=ndim):
        part = tuple(slice(c, c + n) for c, n in zip(corner, cells, strict=True))
        corners.append(amplitudes[part])
        patterns.append(pattern * _ramp(corner, grid))
    joined = np.concatenate(corners, axis=-1).reshape(-1, len(patterns) * len(pattern))
    drawn = joined @ np.concatenate(patterns).reshape(joined.shape[1], -1)
    shaped = drawn.reshape(*cells, *grid.cell)
    order = [axis for pair in zip(range(ndim), range(ndim, 2 * ndim), strict=True) for axis in pair]
    whole = shaped.transpose(order).reshape([n * q for n, q in zip(cells, grid.cell, strict=True)])
    return whole[tuple(slice(n) for n in grid.shape)]


def _pattern(tiles: Array, grid: Grid) -> Array:
    """Return one cell of each tile, (K, *cell)."""
    out = tiles
    for period, q in zip(grid.period, grid.cell, strict=True):
        out = np.tensordot(out, waves(period, q), axes=(1, 0))
    return np.asarray(out, np.float32)


def _ramp(corner: tuple[int, ...], grid: Grid) -> Array:
    """Return the weight of a corner of a cell at its pixels, (*cell)."""
    out = np.ones((), np.float32)
    for high, q in zip(corner, grid.cell, strict=True):
        part = (np.arange(q) + 0.5) / q
        out = np.multiply.outer(out, (part if high else 1 - part).astype(np.float32))
    return out


def repeat(out: Array, tile: Array, factor: Array | None = None) -> None:
    """Add a tile of coefficients (*period), repeated, times a factor (*spatial), to an array (*spatial)."""
    rows = repeated(tile[None], (tile.shape[0], *out.shape[1:]))[..., 0]
    for phase, row in enumerate(rows):
        out[phase :: len(rows)] += row if factor is None else factor[phase :: len(rows)] * row


def repeated(tiles: Array, shape: tuple[int, ...]) -> Array:
    """Return tiles of coefficients (C, *period) repeated over an array, (*shape, C)."""
    out = tiles
    for period in tiles.shape[1:]:
        out = np.tensordot(out, waves(period, period), axes=(1, 0))
    whole = np.tile(
        np.moveaxis(out, 0, -1), [*(-(-n // p) for n, p in zip(shape, tiles.shape[1:], strict=True)), 1]
    )
    return np.asarray(whole[tuple(slice(n) for n in shape)], np.float32)
