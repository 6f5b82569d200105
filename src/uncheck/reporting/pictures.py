"""A lattice as pictures: alone, taken out, and enlarged where it is strongest."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Levels = NDArray[np.float32]
Frequency = tuple[float, ...]
"""Cycles per pixel, along rows and along columns."""

#: A lattice alone is amplified by the largest of these that keeps it within the range around mid-grey.
FACTORS = (100, 50, 20, 10, 5, 2, 1)

MID_GREY = 128.0

#: Side of an enlarged crop in pixels, and how many times it is enlarged.
CROP, ENLARGED = 64, 4


@dataclass(frozen=True, eq=False)
class LatticePicture:
    """`levels` (H, W, C) grey levels 0..255; `name` fit for a file, `caption` one sentence."""

    name: str
    levels: Levels
    caption: str


def lattice_pictures(
    levels: Levels, lattice: Levels, frequencies: Sequence[Frequency]
) -> list[LatticePicture]:
    """Return the lattice of a picture alone, the picture without it, and both enlarged beside the picture.

    What is taken out is the mean lattice: one sinusoid of constant strength per line. Where a lattice is
    stronger or weaker than its mean, the rest stays.

    Args:
        levels: (H, W, C) grey levels.
        lattice: the lattice in them, of the same shape.
        frequencies: of its lines.
    """
    factor = amplification(lattice)
    alone = MID_GREY + factor * lattice
    without = levels - lattice
    top, left = strongest_place(levels, frequencies, CROP)
    cut = (slice(top, top + CROP), slice(left, left + CROP))
    row = side_by_side([levels[cut], without[cut], alone[cut]])
    bottom, right = (start + n - 1 for start, n in zip((top, left), levels[cut].shape, strict=False))
    return [
        LatticePicture("lattice", alone, f"its lattice alone, {factor} times as strong, around mid-grey"),
        LatticePicture("without-lattice", without, "the same without its mean lattice"),
        LatticePicture(
            "crop",
            row,
            f"rows {top} to {bottom}, columns {left} to {right}, enlarged {ENLARGED} times: "
            f"as it is, without its mean lattice, and the lattice alone ({factor} times)",
        ),
    ]


def amplification(lattice: Levels) -> int:
    """Return the largest of FACTORS at which the lattice stays within 0..255 around mid-grey."""
    most = float(np.abs(lattice).max())
    return next((f for f in FACTORS if f * most <= MID_GREY - 1), 1)


def strongest_place(levels: Levels, frequencies: Sequence[Frequency], size: int) -> tuple[int, int]:
    """Return row and column of the `size` x `size` window in which the lattice is strongest.

    In each window (half a window apart) the lattice's frequencies are compared with those two cycles per
    window beside them: an edge, which has all frequencies, is no lattice.

    Cost: five passes over the picture per line.
    """
    height, width = levels.shape[0], levels.shape[1]
    grey = levels.mean(axis=-1, dtype=np.float64)
    tops = range(0, max(1, height - size + 1), max(1, size // 2))
    lefts = range(0, max(1, width - size + 1), max(1, size // 2))
    best, place = -np.inf, (0, 0)
    for top in tops:
        for left in lefts:
            window = grey[top : top + size, left : left + size]
            excess = sum(_excess(window, frequency) for frequency in frequencies)
            if excess > best:
                best, place = excess, (top, left)
    return place


def _excess(window: NDArray[np.float64], frequency: Frequency) -> float:
    """Return the power at a frequency, less that beside it on the axis with more: an edge fills one axis."""
    f, g = frequency
    df, dg = (2 / n for n in window.shape)
    along_rows = _power(window, f - df, g) + _power(window, f + df, g)
    along_columns = _power(window, f, g - dg) + _power(window, f, g + dg)
    return _power(window, f, g) - max(along_rows, along_columns) / 2


def _power(window: NDArray[np.float64], f: float, g: float) -> float:
    rows, columns = (_wave(n, x) for n, x in zip(window.shape, (f, g), strict=True))
    return float(abs(rows @ window @ columns) ** 2)


def _wave(n: int, frequency: float) -> NDArray[np.complex128]:
    """Return a Hann window of sum 1 times exp(-2 pi i f n)."""
    hann = np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2
    return np.asarray(hann / hann.sum() * np.exp(-2j * np.pi * frequency * np.arange(n)))


def side_by_side(crops: Sequence[Levels]) -> Levels:
    """Draw crops of one height, a white line between them, each pixel as a square of ENLARGED."""
    large = [np.repeat(np.repeat(crop, ENLARGED, axis=0), ENLARGED, axis=1) for crop in crops]
    line = np.full((large[0].shape[0], ENLARGED, large[0].shape[2]), 255.0, np.float32)
    parts = [part for crop in large for part in (line, crop)][1:]
    return np.concatenate(parts, axis=1)


def as_png(levels: Levels) -> bytes:
    """Return grey levels (H, W, C), rounded and cut to 0..255, as a PNG of one or three channels."""
    whole = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    image = Image.fromarray(whole[..., :3] if whole.shape[-1] >= 3 else whole[..., 0])
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
