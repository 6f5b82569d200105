"""Estimate the lattice of pictures: one model for all that are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.cleaning.basis import tonal
from uncheck.cleaning.clipping import clipped
from uncheck.cleaning.fitting import fit
from uncheck.cleaning.pattern import Pattern
from uncheck.cleaning.sharpness import sharpness
from uncheck.cleaning.windows import Grid, coefficients, local_means

Array = NDArray[np.float32]

#: Pictures of a set that are asked what colours its lattice depends on.
LOOKED_AT = 4

#: Share of clipped pixels from which on a window counts for next to nothing.
MOSTLY = 0.02


def estimate(pictures: Sequence[Array], periods: Sequence[tuple[int, ...]]) -> tuple[Pattern, ...]:
    """Estimate the patterns of some periods that pictures (*spatial, C) in grey levels share.

    The longest first; each is taken out before the next is estimated.
    """
    rest = list(pictures)
    found: list[Pattern] = []
    for i, period in enumerate(periods):
        pattern = _one(rest, period)
        found.append(pattern)
        if i + 1 < len(periods):
            rest = [one - pattern.drawn(one) for one in rest]
    return tuple(found)


def _one(pictures: Sequence[Array], period: tuple[int, ...]) -> Pattern:
    local, means, weights = [], [], []
    for values in pictures:
        grid = Grid(values.shape[:-1], period)
        known = np.stack([coefficients(one, grid) for one in np.moveaxis(values, -1, 0)])
        mean = np.moveaxis(known[_means(len(period))], 0, -1)
        means.append(mean.reshape(-1, values.shape[-1]))
        local.append(known.reshape(len(known), len(means[-1]), -1)[..., 1:])
        weights.append((_inside(grid) * _unclipped(values, grid)).ravel())
    joined, colours, inside = np.concatenate(local, axis=1), np.concatenate(means), np.concatenate(weights)
    tiles = []
    for channel, values in enumerate(joined):
        fitted = fit(values, tonal(colours, channel), inside)
        tiles.append(np.concatenate([np.zeros((len(fitted), 1)), fitted], axis=1).reshape(-1, *period))
    pattern = Pattern(period, np.asarray(tiles, np.float32))
    return replace(pattern, sharp=sharpness(pattern, pictures[:LOOKED_AT]))


def _inside(grid: Grid) -> Array:
    """Return the share of each node's window that lies in the array, none of it below a half, (*nodes)."""
    out = np.ones((), np.float32)
    for n, q, nodes in zip(grid.shape, grid.cell, grid.nodes, strict=True):
        middle = np.arange(nodes) * q
        share = (np.minimum(n, middle + q) - np.maximum(0, middle - q)) / (2 * q)
        out = np.multiply.outer(
            out, np.where(share > 0.9, share, 0.0 if nodes > 4 else 0.1).astype(np.float32)
        )
    return out


def _unclipped(values: Array, grid: Grid) -> Array:
    """Return next to nothing for windows with clipped pixels, where the lattice is cut off, (*nodes)."""
    there = clipped(values)
    if not there.any():
        return np.ones(grid.nodes, np.float32)
    share = local_means(there[..., None].astype(np.float32), grid)[..., 0]
    return np.asarray(np.maximum(1e-4, 1 - share / MOSTLY), np.float32)


def _means(ndim: int) -> tuple[Any, ...]:
    """Return the index of the local means among the coefficients."""
    return (..., *[0] * ndim)
