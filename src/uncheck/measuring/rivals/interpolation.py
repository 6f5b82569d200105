"""Pictures that were enlarged by interpolation: what they were before."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import minimum_filter

from uncheck.signals.levels import LEVELS

KERNELS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)

#: Longest side looked at, pixels.
LARGEST = 384

#: Standard deviation of what rounding to whole levels changes.
ROUNDED = 12**-0.5

#: How many times that may be left, at most: 1.0 where a picture is rounded once, up to 1.3 where after
#: each axis; 1.31 and more in blurred ones with steps of two levels every 14 pixels or more.
MOST_LEFT = 1.3

#: Pixels around a clipped one that interpolation would have made otherwise, and the share that must be left.
AROUND = 3
LEAST_SHARE = 0.1


def before_interpolation(array: NDArray[np.float32], many: int, few: int) -> NDArray[np.float32] | None:
    """Return the picture that had `few` pixels where this one has `many`, or None if it was not enlarged.

    With R the interpolation along one axis, an enlarged picture is x = R s R' but for rounding, so least
    squares give s, and what is left of x has the standard deviation sqrt((1 - (few / many)^2) / 12).
    Bilinear, bicubic and Lanczos interpolation are tried; another, or a coding since, leaves more.

    Args:
        array: (H, W, C) grey levels in whole numbers, its first pixel the first of `many`.
        many: pixels that became of `few`.
        few: pixels, fewer.

    Returns:
        (h, w, C), or None.

    Cost: QR factors of both axes, kept, and six matrix products for each kernel.
    """
    counts = [min(n, LARGEST) // many for n in array.shape[:2]]
    if min(counts) < 3:
        return None
    planes = np.moveaxis(array[: counts[0] * many, : counts[1] * many], -1, 0).astype(np.float64)
    inner = np.s_[:, many:-many, many:-many]
    whole = minimum_filter((planes > 0) & (planes < LEVELS), (1, 2 * AROUND + 1, 2 * AROUND + 1))[inner]
    if whole.mean() < LEAST_SHARE:
        return None
    most = MOST_LEFT * ROUNDED * np.sqrt(1 - (few / many) ** 2)
    for kernel in KERNELS:
        (rows, upper), (columns, other) = (_factors(n * few, n * many, kernel) for n in counts)
        known = rows.T @ planes @ columns
        left = (planes - rows @ known @ columns.T)[inner]
        if np.sqrt((left[whole] ** 2).mean()) <= most:
            before = np.linalg.solve(upper, known) @ np.linalg.inv(other).T
            return np.moveaxis(before, 0, -1).astype(np.float32)
    return None


@lru_cache(maxsize=48)
def _factors(
    few: int, many: int, kernel: Image.Resampling
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the QR factors of the (many, few) matrix that enlarges."""
    unit = Image.fromarray(np.eye(few, dtype=np.float32))
    q, r = np.linalg.qr(np.asarray(unit.resize((few, many), kernel), np.float64))
    return q, r
