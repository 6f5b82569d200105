"""JPEG: block grid, quality, and the lattice that coding adds to this picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from uncheck.measuring.components import Component, Lattice, without
from uncheck.measuring.lines import strengths_at
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

#: Quality above which the estimate is not needed, and on gradients not certain: what it leaves on photographs
#: is 0.1 level.
FINEST = 75

#: Grey levels up to which lines along the axes, of periods that divide 16, are laid to a coding that is
#: there.
WEAK = 0.5

#: How many times as much where the coefficients obey no table any more: sharpening by 100 % doubles what a
#: coding has left.
CHANGED = 2.0

#: Grid offsets at which the picture is coded once more. They avoid the old grid, on which nothing changes.
SHIFTS = ((4, 4), (2, 6), (5, 3))

#: Blur, in pixels, that takes the old steps out of a gradient before it is compressed on the old grid.
BLUR = 2.0

#: How much rougher block edges must be than other places to show the grid of a smooth picture.
EDGES = 1.5

#: How many times stronger than in the repetition a lattice may be and still be of the compression.
FACTOR = 2.5

#: Share of vanishing block-DCT coefficients from which a picture counts as smooth, and what coding then
#: leaves at most (2.7 levels on gradients at quality 10 to 90).
SMOOTH = 0.84
MOST_SMOOTH = 3.0

#: How far the harmonics of such steps may exceed 1/k (measured up to 1.45).
HARMONIC = 1.6

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

Tables = Sequence[Sequence[int]]


def is_jpeg(
    array: NDArray[np.float32], lattice: Lattice, codec: str | None = None, tables: Tables | None = None
) -> bool:
    """Test whether JPEG coding explains every component: coding the picture again leaves as much.

    A picture that shows no 8x8 grid was not coded. On a smooth one, whose blocks are all rounded alike, up to
    3 levels of steps with falling harmonics are also believed if its coefficients are multiples of a table.
    The blocks of a file that was JPEG (`codec`) start at the first pixel.

    Cost: 64 block DCTs of at most 400 blocks for the grid, then eight JPEG codings of the picture.
    """
    if array.shape[-1] not in (1, 3):
        return False
    grid = (0, 0) if codec == "JPEG" else jpeg_grid(array) or block_edges(array)
    if grid is None:
        return False
    steps = _sawtooth(lattice.present)
    steps = steps and _vanishing_rate(brightness(array)[grid[0] :, grid[1] :], -1.0) >= SMOOTH
    quality = estimate_quality(array, grid) if steps or not tables else None
    if steps and quality is not None:
        return True
    options = {"qtables": [list(t) for t in tables]} if tables else {"quality": min(quality or 100, FINEST)}
    # What coding leaves depends on the coder, and on codings before the last: weak lines get some room.
    weak = WEAK if quality is not None or tables else CHANGED * WEAK
    enough = [0.0 if _on_axes(c) and c.amplitude <= weak else c.amplitude / FACTOR for c in lattice.present]
    left = left_by_coding(array, lattice, grid, options, enough)
    return all(some >= most for some, most in zip(left, enough, strict=True))


def _on_axes(component: Component) -> bool:
    single = all(sum(p > 1 for p in line.period) == 1 for line in component.lines)
    return single and not any(16 % p for p in component.period)


def left_by_coding(
    array: NDArray[np.float32],
    lattice: Lattice,
    grid: tuple[int, int],
    options: dict[str, Any],
    enough: Sequence[float] = (),
) -> list[float]:
    """Measure what JPEG coding adds to this picture at each component present, grey levels.

    The lattice is taken out and the picture coded on three grids beside its own and, blurred, on its own; the
    largest change counts ("calibration" of steganalysis: Fridrich, Goljan, Hogea, 2002). `grid` is the offset
    of its blocks; `options` are `quality` or `qtables`, as Pillow takes them. Once as much as is `enough` was
    left of each, no more codings are tried.
    """
    clean = without(array, lattice.everything)
    aligned = clean[grid[0] :, grid[1] :]
    # Rounding a picture less half a level would put the lattice back; noise of one level rounds it evenly.
    dithered = aligned + np.random.default_rng(0).uniform(-0.5, 0.5, aligned.shape).astype(np.float32)
    starts = [dithered[row:, column:] for row, column in SHIFTS]
    starts.append(gaussian_filter(aligned, (BLUR, BLUR, 0), mode="nearest"))
    left = np.zeros(len(lattice.present))
    for start in starts:
        before = np.rint(start).clip(0, LEVELS).astype(np.uint8)
        for subsampling in (0, 2):
            change = compressed(before, subsampling=subsampling, **options) - before
            left = np.maximum(left, strengths_at(change, lattice.present))
            if len(enough) and (left >= enough).all():
                return [float(x) for x in left]
    return [float(x) for x in left]


def _sawtooth(present: Sequence[Component]) -> bool:
    """Test for steps every 8 (chroma 16) pixels: at most 3 levels, harmonics falling as 1/k."""
    longest = max((c.amplitude for c in present if max(c.period) >= 8), default=0.0)
    return longest <= MOST_SMOOTH and all(
        all(16 % p == 0 for p in c.period)
        and (max(c.period) >= 8 or c.amplitude <= HARMONIC * max(c.period) / 8 * longest)
        for c in present
    )


def compressed(pixels: NDArray[np.uint8], **options: Any) -> NDArray[np.float32]:
    """Code `pixels` (H, W, C) as JPEG with Pillow's `options`, and decode them."""
    with io.BytesIO() as file:
        Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0]).save(file, "JPEG", **options)
        with Image.open(file, formats=["JPEG"]) as image:
            return np.asarray(image, np.float32).reshape(pixels.shape)


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


def _vanishing_rate(luma: NDArray[np.float32], flat: float, most: int = BLOCKS) -> float:
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
