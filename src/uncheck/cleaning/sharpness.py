"""Whether a lattice goes with the colour of each pixel, or with the colour around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from uncheck.cleaning.pattern import Pattern, smoothed
from uncheck.cleaning.windows import block_sums

Array = NDArray[np.float32]

#: Pixels along an axis of the blocks that are weighted alike.
BLOCK = 16

#: Pixels along an axis that are looked at.
ENOUGH = 512

#: Standard errors from 0 that count.
CLEAR = 2.0


def sharpness(pattern: Pattern, pictures: Sequence[Array]) -> float:
    """Return the share of a pixel's own colour in the colour that its lattice depends on, 0 to 1.

    With t = y - mean the texture of a picture, and g what the lattice of the pixels' own colours has more
    than that of the means, t = share * g + content; content has no preference for a phase, so least squares
    gives the share. Blocks weigh by the power of their content times g.

    Cost: a few passes over each picture.
    """
    if not pattern.tiles[:, 1:].any():
        return 0.0
    tops, bottoms = [], []
    for whole in pictures:
        values = _middle(whole, pattern.period)
        own = replace(pattern, sharp=1.0)._by_pixel(values)
        more = own - pattern._smooth(values)
        rest = values - smoothed(values, pattern.period) - own + more
        tops.append(block_sums(more * rest, BLOCK).ravel())
        bottoms.append(block_sums(more * more, BLOCK).ravel())
    top, bottom = np.concatenate(tops), np.concatenate(bottoms)
    share = 0.0
    error = 1.0
    for _ in range(5):
        left = (top - share * bottom) ** 2
        weight = bottom / (np.quantile(left, 0.5) * 1e-3 + left + 1e-12)
        weight = np.minimum(weight, np.quantile(weight, 0.9))
        total = max(float((weight * bottom).sum()), 1e-12)
        share = float((weight * top).sum()) / total
        error = float(np.sqrt((weight**2 * (top - share * bottom) ** 2).sum())) / total
    return float(np.clip(share, 0, 1)) if share > CLEAR * error else 0.0


def _middle(values: Array, period: tuple[int, ...]) -> Array:
    """Return the middle of an array, cut at whole periods: enough for an answer."""
    cut = []
    for n, p in zip(values.shape[:-1], period, strict=True):
        start = max(0, n - ENOUGH) // 2 // p * p
        cut.append(slice(start, start + ENOUGH))
    return values[tuple(cut)]
