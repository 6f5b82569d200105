"""Flat background: solid places of one value, such as a white canvas, the bars of a film or a clipped sky."""

from __future__ import annotations

from collections import Counter
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_opening, maximum_filter1d, minimum_filter1d

from uncheck.signals.masks import Mask

#: Side of the blocks that are looked at first: those of JPEG.
BLOCK = 8

#: Colours of background looked for, most frequent first.
COLOURS = 8

#: How far from flat background, in pixels and grey levels, the ringing of JPEG and smoothed outlines reach.
RING, RING_LEVELS = 8, 24.0

#: Share of the picture below which flat places are not worth leaving out.
LEAST_FLAT = 0.02

#: Samples that must be left.
LEAST_LEFT = 256


def flat_background(values: NDArray[np.float32], longest: int) -> Mask | None:
    """Find places of exactly one value that are solid: larger than `longest` samples along every axis.

    A lattice may saturate, or lie on flat colour, but no solid place larger than its period is without trace
    of it. What lies within 8 pixels and 24 levels of such a place goes with it: smoothed outlines, and what
    JPEG makes of them.

    Args:
        values: (*spatial, C) grey levels; NaN is no background.
        longest: the longest period that is tested.

    Returns:
        (*spatial), True where the background is; None where there is next to none, or nothing else.

    Cost: an eighth of a pass where there is none, else some ten.
    """
    sides = tuple(min(n, max(BLOCK * ceil((longest + 1) / BLOCK), 2 * BLOCK)) for n in values.shape[:-1])
    flat = np.zeros(values.shape[:-1], bool)
    for colour in _colours(values, sides):
        distance = np.abs(values - np.asarray(colour, np.float32)).max(axis=-1)
        solid = _opened(distance == 0, sides)
        if solid.any():
            # What has the very colour goes with it a little farther: corners that no box reaches.
            flat |= solid | (_grown(solid, max(sides)) & (distance == 0))
            flat |= _grown(solid, RING) & (distance <= RING_LEVELS)
    if flat.mean() < LEAST_FLAT:
        return None
    # Specks and hairs that are left have no room for a lattice.
    known = np.isfinite(values).all(axis=-1)
    left = _opened(known & ~flat, tuple(min(side, 4) for side in sides))
    return known & ~left if left.sum() >= LEAST_LEFT else None


def _colours(values: NDArray[np.float32], sides: tuple[int, ...]) -> list[tuple[float, ...]]:
    """List the colours of which there are solid blocks, most frequent first."""
    shape = values.shape[:-1]
    block = [min(BLOCK, side) for side in shape]
    counts = [side // b for side, b in zip(shape, block, strict=True)]
    whole = values[tuple([slice(c * b) for c, b in zip(counts, block, strict=True)])]
    # One row of every block first: in most pictures none is of one value.
    rows = whole[tuple(slice(None, None, b) for b in block[:-1])]
    rows = rows.reshape(*counts, block[-1], -1)
    candidates = (rows == rows[..., :1, :]).all(axis=(-1, -2))
    if not candidates.any():
        return []
    ndim = len(shape)
    split = whole.reshape(*(size for pair in zip(counts, block, strict=True) for size in pair), -1)
    split = split.transpose(*range(0, 2 * ndim, 2), *range(1, 2 * ndim, 2), 2 * ndim)
    chosen = split[candidates].reshape(int(candidates.sum()), -1, values.shape[-1])
    flat = np.zeros(counts, bool)
    flat[candidates] = (chosen == chosen[:, :1]).all(axis=(1, 2))
    corners = split.reshape(*counts, -1, values.shape[-1])[..., 0, :]
    # Blocks that lie inside a solid place wherever it begins.
    needed = [max(1, side // b - 1) for side, b in zip(sides, block, strict=True)]
    found = Counter(map(tuple, corners[flat].tolist()))
    likely = [c for c, count in found.most_common(COLOURS) if count >= np.prod(needed)]
    return [c for c in likely if binary_opening(flat & (corners == c).all(axis=-1), np.ones(needed)).any()]


def _opened(mask: Mask, sides: tuple[int, ...]) -> Mask:
    """Keep what boxes of these sides, wholly inside, cover; what is outside the array counts as inside."""
    out = mask.astype(np.uint8)
    for axis, side in enumerate(sides):
        out = minimum_filter1d(out, side, axis=axis, mode="constant", cval=1, origin=0)
    for axis, side in enumerate(sides):
        # An even box has no middle: the way back is shifted by one.
        out = maximum_filter1d(out, side, axis=axis, mode="constant", cval=0, origin=-1 + side % 2)
    return np.asarray(out > 0) & mask


def _grown(mask: Mask, reach: int) -> Mask:
    """Return all that is at most so many samples, along every axis, from the mask."""
    out = mask.astype(np.uint8)
    for axis in range(mask.ndim):
        out = maximum_filter1d(out, 2 * reach + 1, axis=axis, mode="constant", cval=0)
    return np.asarray(out > 0)
