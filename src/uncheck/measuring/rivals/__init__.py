"""What else leaves a lattice in pictures, one file per rival, and its name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.lattice import Lattice
from uncheck.measuring.rivals.camera import is_bayer
from uncheck.measuring.rivals.enlarged import is_enlarged, only_enlarged, shrunk
from uncheck.measuring.rivals.jpeg import Tables, is_jpeg, jpeg_grid

__all__ = ["jpeg_grid", "name_rival", "only_enlarged", "shrunk"]


def name_rival(
    array: NDArray[np.float32], lattice: Lattice, codec: str | None = None, *, tables: Tables | None = None
) -> str | None:
    """The rival that explains every present component, or None.

    Args:
        array: (H, W, C) grey levels, as given to `find_lattice`.
        lattice: what was found in it.
        codec: file format the picture came in ("JPEG" says where its blocks are), if known.
        tables: quantisation tables of a JPEG file, if known.

    Returns:
        "enlarged", "jpeg" or "bayer"; `is_enlarged`, `is_jpeg` and `is_bayer` say when.

    Cost: only spent when something was found; then that of the checks.
    """
    if not lattice.present or array.ndim != 3:
        return None
    if is_enlarged(array, lattice):
        return "enlarged"
    if is_jpeg(array, lattice, codec, tables):
        return "jpeg"
    if is_bayer(array, lattice):
        return "bayer"
    return None
