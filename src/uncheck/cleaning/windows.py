"""Local Fourier coefficients of a lattice: one set per node of a coarse grid that is locked to its period."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.lines import hann

Array = NDArray[np.float32]

#: Pixels from node to node, at least: amplitudes of networks follow their features, and these are no finer.
CELL = 8


@dataclass(frozen=True)
class Grid:
    """Nodes over an array: node j of an axis lies between the pixels j q - 1 and j q.

    A window reaches over the cells on both sides of a node, so every pixel lies in two windows per axis.

    Attributes:
        shape: of the array, without channels.
        period: of the lattice, 1 along an axis on which it does not vary.
    """

    shape: tuple[int, ...]
    period: tuple[int, ...]

    @property
    def cell(self) -> tuple[int, ...]:
        """Pixels from node to node: whole periods, at least `CELL` pixels."""
        return tuple(p * -(-CELL // p) for p in self.period)

    @property
    def cells(self) -> tuple[int, ...]:
        """Cells that hold the whole array, per axis."""
        return tuple(-(-n // q) for n, q in zip(self.shape, self.cell, strict=True))

    @property
    def nodes(self) -> tuple[int, ...]:
        """Nodes per axis."""
        return tuple(n + 1 for n in self.cells)


@lru_cache(maxsize=64)
def waves(period: int, n: int) -> Array:
    """Return the cosines and sines of a period at n samples from its origin on, (period, n).

    Row 0 is the constant, then cos and sin of 1/period, 2/period, ...; an even period ends with (-1)^n.
    """
    place = np.arange(n)
    rows = [np.ones(n)]
    for a in range(1, (period + 1) // 2):
        turn = 2 * np.pi * (a * place % period) / period
        rows += [np.cos(turn), np.sin(turn)]
    if period % 2 == 0:
        rows.append(np.cos(np.pi * place))
    return np.stack(rows).astype(np.float32)


@lru_cache(maxsize=64)
def duals(period: int, size: int) -> Array:
    """Return vectors (period, size) whose products with a window are the coefficients of `waves` in it.

    Hann-weighted least squares of each frequency beside a parabola, so that shading counts for nothing; the
    first is the Hann-weighted mean, which is blind to the lattice.
    """
    weight, place = hann(size), (np.arange(size) - (size - 1) / 2) / size
    shading = [np.ones(size), place, place**2]
    rows = waves(period, size).astype(np.float64)
    known: list[NDArray[np.float64]] = [weight]
    first = 1
    while first < period:
        last = first + 1 if first == period - 1 and period % 2 == 0 else first + 2
        design = np.stack([*rows[first:last], *shading], axis=1)
        solved = np.linalg.solve(design.T @ (weight[:, None] * design), design.T * weight)
        known += list(solved[: last - first])
        first = last
    return np.stack(known).astype(np.float32)


def coefficients(plane: Array, grid: Grid) -> Array:
    """Return the coefficients of the lattice's waves in the window of every node.

    From one channel (*spatial) to (*nodes, *period); the first coefficient, [..., 0, 0], is the local mean.
    Beyond the ends the array is continued by its last whole period, so that the phases stay.

    Cost: one small matrix product per axis; memory as much as the channel, twice.
    """
    data: Array = plane
    for axis in reversed(range(len(grid.shape))):
        data = _along(data, axis, grid)
    ndim = len(grid.shape)
    # Axes were made last to first, and each moved its waves to the end.
    return np.ascontiguousarray(data.transpose(*range(ndim), *reversed(range(ndim, 2 * ndim))))


def _along(data: Array, axis: int, grid: Grid) -> Array:
    """Replace one axis by its nodes, and append the coefficients of its waves."""
    period, q, nodes = grid.period[axis], grid.cell[axis], grid.nodes[axis]
    moved = np.moveaxis(data, axis, -1)
    moved = np.moveaxis(extended(np.moveaxis(moved, -1, 0), period, q, (nodes + 1) * q), 0, -1)
    blocks = moved.reshape(-1, nodes + 1, q)
    kernel = duals(period, 2 * q)
    out = blocks[:, :-1] @ np.ascontiguousarray(kernel[:, :q].T)
    out += blocks[:, 1:] @ np.ascontiguousarray(kernel[:, q:].T)
    shaped = out.reshape(*moved.shape[:-1], nodes, period)
    return np.moveaxis(shaped, -2, axis)


def extended(data: Array, period: int, before: int, total: int) -> Array:
    """Return an array continued along its first axis to `total` samples, `before` of them ahead of the first.

    By its first and last whole period, so that the phases stay.

    >>> print(*extended(np.arange(5), 2, 2, 9))
    0 1 0 1 2 3 4 3 4
    """
    n = len(data)
    period = min(period, n)
    ahead = np.arange(-before, 0) % period
    behind = n - period + np.arange(period, total - before - n + period) % period
    return np.concatenate([data[ahead], data, data[behind]])


def local_means(values: Array, grid: Grid) -> Array:
    """Return the local mean colour of (*spatial, C) at every node, (*nodes, C), free of the lattice.

    Hann-weighted, over whole periods.
    """
    data = values
    for axis in range(len(grid.shape)):
        q, nodes = grid.cell[axis], grid.nodes[axis]
        moved = np.moveaxis(data, axis, 0)
        moved = extended(moved, grid.period[axis], q, (nodes + 1) * q)
        window = hann(2 * q).astype(np.float32)
        blocks = moved.reshape(nodes + 1, q, -1)
        both = np.stack([window[:q], window[q:]]) @ blocks
        data = np.moveaxis((both[:-1, 0] + both[1:, 1]).reshape(nodes, *moved.shape[1:]), 0, axis)
    return np.asarray(data, np.float32)


def block_sums(values: Array, side: int) -> Array:
    """Return the sums over blocks of `side` pixels per axis of an array (*spatial, C).

    >>> block_sums(np.ones((3, 1)), 2).ravel().tolist()
    [2.0, 1.0]
    """
    for axis in range(values.ndim - 1):
        values = np.add.reduceat(values, np.arange(0, values.shape[axis], side), axis=axis)
    return values
