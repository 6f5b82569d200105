"""The colour mosaic of cameras: green measured on one half of the pixels, interpolated on the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.lattice import Lattice, synthesise

#: Least relative difference between the two green quincunx lattices, and from the other colours.
BAYER_CONTRAST = 0.05

#: Demosaicing leaves traces, not patterns: grey levels above which a camera is not believed.
BAYER_MOST = 1.0


def is_bayer(array: NDArray[np.float32], lattice: Lattice) -> bool:
    """Whether only period 2 is there, at most 1 level strong, on a picture whose green was interpolated.

    The measured half of the green pixels varies more than the interpolated half; red and blue vary more on
    the other half, where their own measured pixels lie, or alike on both.

    Cost: a few passes over the array.
    """
    weak = all(max(c.period) == 2 and c.amplitude <= BAYER_MOST for c in lattice.present)
    return weak and bayer_contrast(array, lattice) >= BAYER_CONTRAST


def bayer_contrast(array: NDArray[np.float32], lattice: Lattice) -> float:
    """How differently the two quincunx halves of green vary, beyond red and blue: 0 for no mosaic.

    Equation: |log r_G| where it differs from (log r_R + log r_B)/2 by as much, r the ratio between even
    and odd (row + column) pixels of the mean |x - mean of the 4 neighbours|, the lattice itself removed; 0 if
    red or blue lean the way of green by half as much, as uneven overlap makes all colours do.
    """
    if array.shape[-1] < 3:
        return 0.0
    clean = array[..., :3].copy()
    for component in lattice.present:
        clean -= synthesise(component, array.shape)[..., :3]
    neighbours = clean[:-2, 1:-1] + clean[2:, 1:-1] + clean[1:-1, :-2] + clean[1:-1, 2:]
    detail = np.abs(clean[1:-1, 1:-1] - neighbours / 4)
    even = (np.add.outer(np.arange(detail.shape[0]), np.arange(detail.shape[1])) % 2) == 0
    floor = 1e-3
    red, green, blue = np.log((detail[even].mean(0) + floor) / (detail[~even].mean(0) + floor))
    if max(red * green, blue * green) > green**2 / 2:
        return 0.0
    return float(min(abs(green), abs(green - (red + blue) / 2)))
