"""The blocks of JPEG: where their grid begins, and with what quality they were coded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from uncheck.signals.levels import LEVELS, brightness, grey

#: Most blocks looked at per grid offset: enough for the rates, and no slower on large pictures.
BLOCKS = 400

#: The same for a first look.
SOME_BLOCKS = 100

#: Coefficients that vanish. Of gradients many are just half a level: rounding must not decide about these.
VANISHING = 0.501

#: The cosine transform of 8 x 8 samples, as a matrix.
COSINES = dctn(np.eye(64).reshape(64, 8, 8), axes=(1, 2), norm="ortho").reshape(64, 64).astype(np.float32)

#: How far the rate of vanishing block-DCT coefficients must stand above the other 63 grid offsets.
JPEG_EXCESS = 0.04

#: How far, as a share of that excess, it must stand above the best of the other offsets: those half a block
#: away come close behind at low quality, where the excess is at least 0.2.
JPEG_LEAD = 1 / 4
JPEG_LEAD_LOW_QUALITY = 1 / 25

#: Mean squared distance of block-DCT coefficients from the multiples of a quantisation table, over that of
#: arbitrary numbers (T^2 / 12), below which the table was used: about 0.01 there, 1 elsewhere.
OBEYS = 0.2

#: How much rougher block edges must be than other places to show the grid of a smooth picture.
EDGES = 1.5

#: The luminance table of quality 50 of the JPEG standard (ITU-T T.81, table K.1), rows of 8.
STANDARD = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float64,
)


def estimate_quality(array: NDArray[np.float32], grid: tuple[int, int]) -> int | None:
    """Estimate the quality (1 to 100, of the standard luminance table) of the coding, or None.

    Equation: mean over block-DCT coefficients c of (c - T round(c / T))^2, T the table, far below T^2 / 12.
    """
    # Clipped colours are no longer multiples of anything.
    whole = array[grid[0] :, grid[1] :]
    clipped = ((whole <= 0) | (whole >= LEVELS)).any(axis=-1)
    luma = np.where(clipped, np.nan, brightness(whole)).astype(np.float32)
    chosen = _some_blocks(luma, -1.0)
    if len(chosen) < 8:
        return None
    coefficients = transformed(chosen - 128)
    squares = np.square(coefficients)
    # Small coefficients, in units of no table, tell nothing.
    coefficients[squares <= 1] = 0
    squares[squares <= 1] = 0
    ratios = np.ones(101)
    for quality in range(1, 101):
        table = standard_table(quality).ravel().astype(np.float32)
        distance = coefficients / table
        distance -= np.rint(distance)
        square = table**2
        ratio = np.square(distance) @ square / np.maximum(1, np.minimum(squares, square / 12).sum(axis=1))
        ratios[quality] = np.median(ratio)
    best = int(ratios.argmin())
    return best if ratios[best] < OBEYS else None


def standard_table(quality: int) -> NDArray[np.float64]:
    """Return the luminance table of `quality`, (8, 8), scaled as the Independent JPEG Group does."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return ((STANDARD * percent + 50) // 100).clip(1, 255)


def jpeg_grid(array: NDArray[np.float32]) -> tuple[int, int] | None:
    """Find the offset (row, column) of the 8x8 grid that an earlier JPEG compression left, or None.

    On its own grid most block-DCT coefficients of a JPEG picture were rounded to zero; on the other 63
    offsets they are not. The rate of coefficients below half a grey level is compared.
    """
    luma = grey(array[..., :3])
    if min(luma.shape) < 32:
        return None
    # A few blocks tell most pictures that were never coded.
    rates = _rates(luma, SOME_BLOCKS)
    if float(rates.max() - np.median(rates)) < JPEG_EXCESS / 2:
        return None
    rates = _rates(luma, BLOCKS)
    best = np.unravel_index(int(rates.argmax()), rates.shape)
    others = np.delete(rates.ravel(), int(rates.argmax()))
    # Offsets that share the rows or the columns of the grid stand out too, but less.
    excess, lead = float(rates.max() - np.median(others)), float(rates.max() - others.max())
    least = JPEG_LEAD_LOW_QUALITY if excess >= 0.2 else JPEG_LEAD
    if excess < JPEG_EXCESS or lead < excess * least:
        return None
    return int(best[0]), int(best[1])


def starts_on_grid(luma: NDArray[np.float32], axes: Sequence[int]) -> bool:
    """Test whether the blocks of a coding begin at the first pixel along these axes: where most coefficients
    vanish.
    """
    if min(luma.shape) < 32:
        return False
    rates = _rates(luma, BLOCKS)
    best = np.unravel_index(int(rates.argmax()), rates.shape)
    return bool(rates.max() - np.median(rates) >= JPEG_EXCESS) and not any(best[axis] for axis in axes)


def block_edges(array: NDArray[np.float32]) -> tuple[int, int] | None:
    """Find the offset (row, column) of the 8x8 grid at whose edges the picture is least smooth, or None.

    On smooth pictures all blocks may be rounded alike, on every grid; but their steps are at the edges.
    Equation: mean |x[n-1] - 3 x[n] + 3 x[n+1] - x[n+2]| by n mod 8, the largest 1.5 times all but its
    neighbours.
    """
    luma = brightness(array)
    starts = []
    for axis in (0, 1):
        if luma.shape[axis] < 32:
            return None
        profile = np.abs(np.diff(luma, n=3, axis=axis)).mean(axis=1 - axis)
        phases = np.array([profile[p::8].mean() for p in range(8)])
        best = int(phases.argmax())
        # A step shows in three neighbouring phases; periods 2 and 4 show in others too.
        others = float(np.delete(phases, [best, (best + 1) % 8, (best - 1) % 8]).max())
        if phases[best] < EDGES * others:
            return None
        starts.append((best + 2) % 8)
    return starts[0], starts[1]


def transformed(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine transforms of blocks (N, 8, 8) as (N, 64): one product with a matrix."""
    return np.asarray(blocks.reshape(-1, 64) @ COSINES)


def _rates(luma: NDArray[np.float32], most: int) -> NDArray[np.float64]:
    """Return the rate of vanishing coefficients at the 8 x 8 offsets of a grid."""
    # Flat blocks vanish on every grid and say nothing.
    spans = _spans(luma)
    chosen = [_some_blocks(luma[i:, j:], 1.0, most, spans[i:, j:]) for i in range(8) for j in range(8)]
    vanishing = (np.abs(transformed(np.concatenate(chosen))) < VANISHING).mean(axis=1)
    counts = [len(one) for one in chosen]
    each = np.split(vanishing, np.cumsum(counts)[:-1])
    return np.array([float(one.mean()) if len(one) >= 8 else 0.0 for one in each]).reshape(8, 8)


def vanishing_rate(luma: NDArray[np.float32], flat: float, most: int = BLOCKS) -> float:
    """Return the share of block-DCT coefficients below half a level, in blocks that span over `flat`."""
    chosen = _some_blocks(luma, flat, most)
    if len(chosen) < 8:
        return 0.0
    return float((np.abs(transformed(chosen)) < VANISHING).mean())


def _spans(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the range of values in the 8 x 8 pixels from each on, (H - 7, W - 7)."""
    ends = []
    for extreme in (np.maximum, np.minimum):
        values = luma
        for reach in (1, 2, 4):
            values = extreme(values[:-reach], values[reach:])
            values = extreme(values[:, :-reach], values[:, reach:])
        ends.append(values)
    return np.asarray(ends[0] - ends[1])


def _some_blocks(
    luma: NDArray[np.float32], flat: float, most: int = BLOCKS, spans: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return at most so many blocks (N, 8, 8) that span over `flat`; `spans` are those of all places."""
    rows, columns = luma.shape[0] // 8, luma.shape[1] // 8
    # Four times as many as wanted are looked at, for some will be flat; only these are copied.
    places = np.arange(0, rows * columns, max(1, rows * columns // (4 * most)))
    down, across = places // max(1, columns), places % max(1, columns)
    windows = luma[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8).swapaxes(1, 2)
    if spans is None:
        blocks = np.asarray(windows[down, across])
        chosen = _thinned(np.ptp(blocks.reshape(len(blocks), 64), axis=1) > flat, most)
        return np.asarray(blocks[chosen])
    kept = _thinned(spans[8 * down, 8 * across] > flat, most)
    return np.asarray(windows[down[kept], across[kept]])


def _thinned(wanted: NDArray[np.bool_], most: int) -> NDArray[np.intp]:
    """Return the indices of those wanted, evenly thinned where they are many more than `most`."""
    index = np.flatnonzero(wanted)
    return index[:: max(1, len(index) // most)]
