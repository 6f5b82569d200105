"""JPEG: the lattice that coding adds to this picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from uncheck.measuring.components import Component, Lattice, without
from uncheck.measuring.lines import strengths_at
from uncheck.measuring.rivals.jpeg_blocks import (
    block_edges,
    estimate_quality,
    jpeg_grid,
    vanishing_rate,
)
from uncheck.signals.levels import LEVELS, brightness

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

#: How many times stronger than in the repetition a lattice may be and still be of the compression.
FACTOR = 2.5

#: Share of vanishing block-DCT coefficients from which a picture counts as smooth, and what coding then
#: leaves at most (2.7 levels on gradients at quality 10 to 90).
SMOOTH = 0.84
MOST_SMOOTH = 3.0

#: How far the harmonics of such steps may exceed 1/k (measured up to 1.45).
HARMONIC = 1.6

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
    steps = steps and vanishing_rate(brightness(array)[grid[0] :, grid[1] :], -1.0) >= SMOOTH
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
    left = np.zeros(len(lattice.present))
    for shift in (*SHIFTS, None):
        start = gaussian_filter(aligned, (BLUR, BLUR, 0), mode="nearest") if shift is None else dithered
        if shift is not None:
            start = start[shift[0] :, shift[1] :]
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
