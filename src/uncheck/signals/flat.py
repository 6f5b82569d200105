"""Flat background: solid places of one value, such as a white canvas, the bars of a film or a clipped sky."""

from __future__ import annotations

from collections import Counter
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_opening

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
        distance = _distance(values, colour)
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
    candidates = rows[..., 0, 0] == rows[..., -1, 0]
    some = rows[candidates]
    candidates[candidates] = (some == some[:, :1]).all(axis=(1, 2))
    if not candidates.any():
        return []
    ndim = len(shape)
    split = whole.reshape(*(size for pair in zip(counts, block, strict=True) for size in pair), -1)
    split = split.transpose(*range(0, 2 * ndim, 2), *range(1, 2 * ndim, 2), 2 * ndim)
    chosen = split[candidates].reshape(int(candidates.sum()), -1, values.shape[-1])
    flat = np.zeros(counts, bool)
    flat[candidates] = (chosen == chosen[:, :1]).all(axis=(1, 2))
    corners = whole[tuple([slice(None, None, b) for b in block])]
    # Blocks that lie inside a solid place wherever it begins.
    needed = [max(1, side // b - 1) for side, b in zip(sides, block, strict=True)]
    found = Counter(map(tuple, corners[flat].tolist()))
    likely = [c for c, count in found.most_common(COLOURS) if count >= np.prod(needed)]
    return [c for c in likely if binary_opening(flat & (corners == c).all(axis=-1), np.ones(needed)).any()]


def _distance(values: NDArray[np.float32], colour: tuple[float, ...]) -> NDArray[np.float32]:
    """Return how far values (*spatial, C) are from a colour, in the channel where that is farthest."""
    out = np.abs(values[..., 0] - np.float32(colour[0]))
    for channel, one in enumerate(colour[1:], 1):
        np.maximum(out, np.abs(values[..., channel] - np.float32(one)), out=out)
    return np.asarray(out)


def _opened(mask: Mask, sides: tuple[int, ...]) -> Mask:
    """Keep what boxes of these sides, wholly inside, cover; what is outside the array counts as inside."""
    out = mask
    for axis, side in enumerate(sides):
        out = _windows(out, side, (side // 2, (side - 1) // 2), axis, every=True)
    for axis, side in enumerate(sides):
        out = _windows(out, side, ((side - 1) // 2, side // 2), axis, every=False)
    return np.asarray(out & mask)


def _grown(mask: Mask, reach: int) -> Mask:
    """Return all that is at most so many samples, along every axis, from the mask."""
    for axis in range(mask.ndim):
        mask = _windows(mask, 2 * reach + 1, (reach, reach), axis, every=False)
    return mask


def _windows(mask: Mask, side: int, beyond: tuple[int, int], axis: int, *, every: bool) -> Mask:
    """Test whether all samples (`every`), or any, of windows along an axis are True.

    Windows reach so far `beyond` the ends, where all counts as True, or False. Those of twice the side are
    two of the side: a few steps for any side, several times as fast as filters made for numbers.
    """
    pad = [(0, 0)] * mask.ndim
    pad[axis] = beyond
    values = np.moveaxis(np.pad(mask, pad, constant_values=every), axis, 0)
    join, reach, count = np.logical_and if every else np.logical_or, 1, mask.shape[axis]
    while reach < side:
        step = min(reach, side - reach)
        values = join(values[:-step], values[step:])
        reach += step
    return np.moveaxis(values[:count], 0, axis)
