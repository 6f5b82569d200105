"""A lattice as pictures: alone, taken out, and enlarged where it is strongest."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

Levels = NDArray[np.float32]
Place = tuple[int, int]
"""Row and column of the first pixel of a crop."""

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


def lattice_pictures(levels: Levels, lattice: Levels, place: Place) -> list[LatticePicture]:
    """Return the lattice of a picture alone, the picture without it, and both enlarged beside the picture.

    The lattice removed is the mean one: a sinusoid of constant strength per line. Where the lattice is
    stronger or weaker than its mean, the rest stays.

    `levels` are (H, W, C) grey levels, `lattice` is that in them, and `frequencies` are those of its lines.
    """
    factor = amplification(lattice)
    alone = MID_GREY + factor * lattice
    without = levels - lattice
    top, left = place
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


def side_by_side(crops: Sequence[Levels]) -> Levels:
    """Draw crops of one height, a white line between them, each pixel as a square of ENLARGED."""
    large = [np.repeat(np.repeat(crop, ENLARGED, axis=0), ENLARGED, axis=1) for crop in crops]
    line = np.full((large[0].shape[0], ENLARGED, large[0].shape[2]), 255.0, np.float32)
    parts = [part for crop in large for part in (line, crop)][1:]
    return np.concatenate(parts, axis=1)


def as_image(levels: Levels) -> Image.Image:
    """Return grey levels (H, W, C), rounded and cut to 0..255, as an image of one or three channels."""
    whole = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return Image.fromarray(whole[..., :3] if whole.shape[-1] >= 3 else whole[..., 0])


def as_png(image: Image.Image, mark: PngInfo | None = None) -> bytes:
    """Return an image as a PNG, `mark` in its metadata."""
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=mark)
    return file.getvalue()
