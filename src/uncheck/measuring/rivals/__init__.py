"""Rivals: other causes of a lattice in pictures."""

from __future__ import annotations

from math import lcm

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Lattice, without
from uncheck.measuring.rivals.camera import is_bayer
from uncheck.measuring.rivals.jpeg import Tables, is_jpeg
from uncheck.measuring.rivals.jpeg_blocks import jpeg_grid
from uncheck.measuring.rivals.repetition import is_tiled, lattice_before
from uncheck.measuring.rivals.texture import is_halftone, is_texture

__all__ = ["jpeg_grid", "name_rival"]

#: Pictures with a side below this, in pixels, are too small for the other checks.
SMALLEST = 32

#: Longest side looked at.
LARGEST = 512


def name_rival(
    array: NDArray[np.float32], lattice: Lattice, codec: str | None = None, *, tables: Tables | None = None
) -> str | None:
    """Name the rival that explains every present component, or None. In doubt it is None: a lattice.

    A `codec` "JPEG" says where the blocks are; `tables` are the quantisation tables of such a file.

    Returns:
        "enlarged", "jpeg", "bayer", "halftone", "tiles" or "texture"; `lattice_before`, `is_jpeg`,
        `is_bayer`, `is_halftone`, `is_tiled` and `is_texture` say when.

    Cost: only spent when something was found; then up to that of all checks, on the middle 512 x 512 pixels
    at most.
    """
    if not lattice.present or array.ndim != 3:
        return None
    # Asked of the whole: whether the picture before had a lattice may hang on little in a part.
    before = lattice_before(array, lattice)
    if before is not None and not before[1].present:
        return "enlarged"
    array = part(array, lattice)
    if min(array.shape[:2]) < SMALLEST:
        return None
    if is_jpeg(array, lattice, codec, tables):
        return "jpeg"
    rest = without(array, lattice.present)
    checks = (("bayer", is_bayer), ("halftone", is_halftone), ("tiles", is_tiled), ("texture", is_texture))
    named = next((name for name, holds in checks if holds(array, lattice, rest)), None)
    # What a rival left in a small picture, whose pixels were repeated since, has its periods no more.
    return named or ("enlarged" if before is not None and name_rival(*before) else None)


def part(array: NDArray[np.float32], lattice: Lattice) -> NDArray[np.float32]:
    """Cut the middle out of large pictures where the lattice and the blocks of JPEG begin anew."""
    cuts = []
    for axis, n in enumerate(array.shape[:2]):
        step = lcm(16, *(c.period[axis] for c in lattice.present))
        start = max(0, n - LARGEST) // 2 // step * step
        cuts.append(slice(start, start + LARGEST))
    return array[tuple(cuts)]
