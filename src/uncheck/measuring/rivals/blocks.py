"""Other causes of blocks: JPEG, pixels that were enlarged, pictures side by side, drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, product
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.rivals.interpolation import before_interpolation
from uncheck.measuring.rivals.jpeg import (
    FACTOR,
    FINEST,
    SHIFTS,
    WEAK,
    Tables,
    compressed,
)
from uncheck.measuring.rivals.jpeg_blocks import estimate_quality, jpeg_grid, starts_on_grid
from uncheck.measuring.rivals.repetition import before_repetition
from uncheck.measuring.rivals.texture import has_flat_places
from uncheck.measuring.seams.blocks import LARGER, SHORT, Blocks, excess, find_blocks
from uncheck.measuring.seams.grids import on_grid
from uncheck.measuring.seams.steps import Profiles
from uncheck.signals.levels import LEVELS, brightness

#: Longest side looked at, pixels.
LARGEST = 512

#: Correlation between a step and the next one of the same row: -1/2 where every block errs by itself, about 0
#: in the content of photographs. Enlarged pixels have more than the first, or than the second where their
#: steps are not clearly larger than those elsewhere (`PLAIN` times).
ALTERNATE = -0.4
RATHER = -0.2
PLAIN = 4.0

#: Correlations beyond these are those of a pattern: bricks and lines between pictures, woven threads.
PATTERN = (-0.55, 0.5)

#: Longest side that is coded again, pixels.
CODED = 256

#: Pixels from line to line that a coding leaves, those of halved colours too, and how many times larger a
#: picture may be since.
CODED_LINES, MOST_ENLARGED = (8, 16), 4

#: The longest period of blocks that interpolation is asked for, pixels.
MOST_STEPS = 32

#: Side of the corner that is asked first, pixels.
CORNER = 160

#: How many times larger the steps between repeated pixels are than those within them, at least, after coding.
REPEATED = 1.6

#: Quality that pictures whose coding is not known are coded with, to see what blocks it leaves; a known one
#: counts up to `FINEST`, since a coarser one may have come before.
USUAL = 50

#: Pictures side by side have this many pixels or more.
SMALLEST = 16

#: How large the step between pictures side by side is at least, as a share of the difference between pixels
#: of both that are half a picture apart: content ends there. The difference within one picture is at least
#: `VARIED` of the step and `COARSE` times that of neighbouring pixels, or they are flat blocks or noisy ones.
UNRELATED = 0.75
VARIED = 0.5
COARSE = 2.0


def explained(
    array: NDArray[np.float32],
    found: Sequence[Blocks],
    codec: str | None = None,
    *,
    tables: Tables | None = None,
) -> list[str | None]:
    """Name the rival that explains each of the blocks found in one picture, or None.

    Where pixels are repeated 2 to 4 times, blocks of a multiple of that are theirs; where some are content,
    all are.
    """
    names = [name_blocks(array, one, codec, tables=tables) for one in found]
    short = [
        max(one.period)
        for one, name in zip(found, names, strict=True)
        if name == "enlarged" and max(one.period) <= SHORT
    ]
    content = next((name for name in names if name in ("tiles", "texture")), None)
    return [
        "enlarged" if any(max(one.period) % p == 0 for p in short) else content or name
        for one, name in zip(found, names, strict=True)
    ]


def name_blocks(
    array: NDArray[np.float32], blocks: Blocks, codec: str | None = None, *, tables: Tables | None = None
) -> str | None:
    """Name the rival that explains blocks found in a picture (H, W, C), or None.

    "enlarged": rows and columns were repeated, if need be beneath blocks of a coding; or the steps are 2.5
    times those elsewhere and go on like content, not back and forth like errors of blocks; or the picture was
    enlarged by interpolation in whose period the blocks are. "jpeg": of period
    8 or, where a coding shows, a multiple of it, and at most 2.5 times what JPEG leaves in this picture.
    "tiles": of 16 pixels or more, and content ends at the lines, or they are lines of their own. "texture":
    steps that come again, as those of threads, or a drawing, with flat places.

    Cost: passes over the middle 512 x 512 pixels; for "jpeg" up to twelve codings of 256 x 256.
    """
    whole, given = array, blocks
    part, blocks = middle(array, blocks)
    if before_repetition(part) is not None:
        return "enlarged"
    if content_ends(part, blocks):
        return "tiles"
    following = alternation(part, blocks)
    if max(blocks.period) > SHORT and not PATTERN[0] <= following <= PATTERN[1]:
        return "tiles" if max(blocks.period) >= SMALLEST else "texture"
    if (blocks.ratio >= LARGER and following > _least(blocks)) or _repeated(Profiles(part), blocks):
        return "enlarged"
    if is_coding(part, blocks, codec, tables):
        return "jpeg"
    if was_interpolated(whole, given):
        return "enlarged"
    return "texture" if has_flat_places(part) else None


def _least(blocks: Blocks) -> float:
    return ALTERNATE if blocks.ratio >= PLAIN or max(blocks.period) <= SHORT else RATHER


def _repeated(profiles: Profiles, blocks: Blocks) -> bool:
    """Test whether pixels repeated 2 to 4 times lie beneath blocks that the coding of them left."""
    for short in range(2, SHORT + 1):
        if max(blocks.period) % short or max(blocks.period) <= short:
            continue
        steps = [
            (profile[on & ~own].mean(), profile[~on].mean())
            for axis, period in enumerate(blocks.period)
            if period > 1
            for profile in [profiles(axis, 1)[1:]]
            for on, own in [
                [on_grid(len(profile) + 1, p, blocks.offset[axis] % p)[1:] for p in (short, period)]
            ]
        ]
        own, other = np.mean(steps, axis=0)
        if own >= REPEATED * other:
            return True
    return False


def middle(array: NDArray[np.float32], blocks: Blocks) -> tuple[NDArray[np.float32], Blocks]:
    """Cut the middle out of large pictures, with three blocks at least, where one of 16 pixels begins."""
    cuts, starts = [], []
    for n, period, offset in zip(array.shape[:2], blocks.period, blocks.offset, strict=False):
        size = max(LARGEST, 3 * period)
        start = max(0, n - size) // 2 // 16 * 16
        cuts.append(slice(start, start + size))
        starts.append((offset - start) % period)
    return array[tuple(cuts)], replace(blocks, offset=(starts[0], starts[1]))


def alternation(array: NDArray[np.float32], blocks: Blocks) -> float:
    """Return the correlation between the steps of a pixel row across one line and the next, -1 to 1."""
    products = squares = 0.0
    for steps in _steps(array, blocks):
        for first, second in pairwise(steps):
            products += 2 * float((first * second).sum())
            squares += float((first**2).sum() + (second**2).sum())
    return products / squares if squares else 0.0


def _steps(array: NDArray[np.float32], blocks: Blocks) -> list[NDArray[np.float32]]:
    """Return the signed steps across all lines of each axis, (lines, pixels, C)."""
    out = []
    for axis, (period, offset) in enumerate(zip(blocks.period, blocks.offset, strict=True)):
        if period > 1:
            moved = np.moveaxis(array, axis, 0)
            lines = np.arange(offset or period, len(moved), period)
            out.append(moved[lines] - moved[lines - 1])
    return out


def was_interpolated(array: NDArray[np.float32], blocks: Blocks) -> bool:
    """Test whether a picture was enlarged by P / q, P the period of its blocks, whatever q < P.

    Lines at the few places that lie between two samples stand out where others are samples themselves. The
    enlarged picture began with this one, or with a line of the blocks. Blocks that the picture before has as
    well are no work of interpolation: smooth pictures with patches pass for enlarged ones.

    Cost: for each q below P a QR factorisation of 160 pixels; where one fits, one of 384.
    """
    period = max(blocks.period)
    if period > MOST_STEPS:
        return False
    for few in range(-(-period // MOST_ENLARGED), period):
        if gcd(few, period) > 1:
            continue
        for row, column in {(0, 0), blocks.offset}:
            here = array[row:, column:]
            # A corner tells most of those that do not fit, at a tenth of the cost.
            if before_interpolation(here[:CORNER, :CORNER], period, few) is None:
                continue
            before = before_interpolation(here, period, few)
            if before is not None:
                return not any(max(one.period) % few == 0 for one in find_blocks(before))
    return False


def is_coding(
    array: NDArray[np.float32], blocks: Blocks, codec: str | None = None, tables: Tables | None = None
) -> bool:
    """Test whether JPEG coding explains blocks: coding the picture on other grids leaves as much.

    Blocks of pictures that were enlarged since are recognised by their period where interpolation shows, or
    by the grid of a coding in the picture as it was before.
    """
    if any(max(blocks.period) * by == 8 * blocks.beneath for by in range(1, blocks.beneath)):
        return True
    if any(_shows_coding(array, blocks, lines) for lines in CODED_LINES):
        return True
    if array.shape[-1] not in (1, 3) or any(period % 8 for period in blocks.period if period > 1):
        return False
    grid = (0, 0) if codec == "JPEG" else jpeg_grid(array)
    # Where no lines cross an axis, its offset is not known.
    both = zip(blocks.offset, blocks.period, grid or (0, 0), strict=True)
    row, column = (o % 8 if p > 1 or grid is None else g for o, p, g in both)
    start = (row, column)
    quality = None if codec == "JPEG" else estimate_quality(array, start)
    known = codec == "JPEG" and start == (0, 0)
    longer = max(blocks.period) > 8
    # Nearly all photographs whose coding left blocks show its grid; with patches of 8 pixels one in ten does.
    if not known and quality is None and grid != start:
        return False
    options: list[dict[str, Any]] = [{"quality": FINEST if known else min(quality or USUAL, FINEST)}]
    options += [{"qtables": [list(t) for t in tables]}] if known and tables else []
    # The middle, as corners are often flat. Longer blocks have too few lines there.
    rows, columns = (max(0, n - CODED) // 32 * 16 for n in array.shape[:2])
    coded = array[rows:, columns:][: CODED + 16, : CODED + 16]
    cut = coded[start[0] :, start[1] :]
    beginning = replace(blocks, offset=(0, 0))
    own = _beyond(Profiles(array if longer else coded), blocks)
    for shift, subsampling, option in product(SHIFTS, (2, 0), options):
        before = np.rint(cut[shift[0] :, shift[1] :]).clip(0, LEVELS).astype(np.uint8)
        after = compressed(before, subsampling=subsampling, **option)
        left, whole = (_beyond(Profiles(one), beginning) for one in (after, before.astype(np.float32)))
        left -= whole
        if own <= max(FACTOR * left, WEAK):
            return True
    return False


def _shows_coding(array: NDArray[np.float32], blocks: Blocks, lines: int) -> bool:
    """Test whether blocks are those of a coding of `lines` pixels, enlarged to their period since."""
    period = max(blocks.period)
    if not lines < period <= MOST_ENLARGED * lines:
        return False
    aligned = array[blocks.offset[0] :, blocks.offset[1] :]
    before = before_interpolation(aligned, period, lines)
    return before is not None and starts_on_grid(brightness(before), _crossed(blocks))


def _crossed(blocks: Blocks) -> list[int]:
    """Return the axes that have lines."""
    return [axis for axis, period in enumerate(blocks.period) if period > 1]


def _beyond(profiles: Profiles, blocks: Blocks) -> float:
    """Return by how many grey levels steps exceed those beside them, those every 8 pixels included.

    What JPEG leaves every 8 pixels is not to count for longer blocks.
    """
    own = excess(profiles, blocks)[0]
    if max(blocks.period) <= 8:
        return own
    rows, columns = (min(8, period) for period in blocks.period)
    offset = (blocks.offset[0] % rows, blocks.offset[1] % columns)
    # All lines of 8 pixels include these.
    share = 8 / max(blocks.period)
    return (own - excess(profiles, replace(blocks, period=(rows, columns), offset=offset))[0]) / (1 - share)


def content_ends(array: NDArray[np.float32], blocks: Blocks) -> bool:
    """Test whether pixels on both sides of a line are no more alike than those farther away."""
    if max(blocks.period) < SMALLEST:
        return False
    step = across = within = 0.0
    for axis, (period, offset) in enumerate(zip(blocks.period, blocks.offset, strict=True)):
        if period == 1:
            continue
        far = period // 4
        moved = np.moveaxis(array, axis, 0)
        lines = np.arange(offset or period, len(moved), period)
        lines = lines[(lines >= 2 * far + 1) & (lines + 2 * far < len(moved))]
        if len(lines):
            step += float(np.abs(moved[lines] - moved[lines - 1]).mean())
            across += float(np.abs(moved[lines + far] - moved[lines - 1 - far]).mean())
            within += float(np.abs(moved[lines + 2 * far] - moved[lines]).mean())
    content = within >= max(VARIED, COARSE / blocks.ratio) * step
    return bool(content and step >= UNRELATED * across > 0)
