"""Pictures that repeat: enlarged by repeating pixels (nearest neighbour), or made of tiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from uncheck.measuring.components import Lattice, without
from uncheck.measuring.lattice import find_lattice
from uncheck.measuring.rivals.texture import NOT_ALL

#: Smallest enlargement told from a picture that happens to have a few equal rows.
LEAST_FACTOR = 1.1


def is_enlarged(array: NDArray[np.float32], lattice: Lattice) -> bool:
    """Test whether rows and columns were repeated evenly, and the picture before had no lattice.

    Enlarging by r, whole or not, turns a trace of period P into one of period r P, or leaves one of the
    beat of the repetitions; either alone may pass the threshold.

    Cost: a pass over the array, and the test of the smaller one.
    """
    small = before_repetition(array) if lattice.present and array.ndim == 3 else None
    if small is None or min(small.shape[:2]) < 4:
        return False
    return not find_lattice(small, threshold=lattice.threshold, significance=lattice.significance).present


def before_repetition(array: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Remove repeated rows and columns; None unless both were repeated evenly.

    Rows and columns of the picture (H, W, C) may have been cropped anywhere.
    """
    kept = []
    for axis in (0, 1):
        other = tuple(a for a in range(3) if a != axis)
        fresh = np.flatnonzero((np.diff(array, axis=axis) != 0).any(axis=other)) + 1
        # Every pixel becomes r wide, rounded down or up; the ends may be cut.
        widths = np.diff(fresh)
        if len(widths) < 2 or widths.mean() < LEAST_FACTOR or np.ptp(widths) > 1:
            return None
        kept.append((float(widths.mean()), np.concatenate([[0], fresh])))
    (factor, rows), (other_factor, columns) = kept
    # Ends count for at most two pixels.
    if abs(factor / other_factor - 1) > 4 / min(len(rows), len(columns)):
        return None
    small: NDArray[np.float32] = array[rows][:, columns]
    return small


#: Tiles are this many pixels or more; un-patchifying transformers mostly leave up to 16.
SMALLEST_TILE = 24

#: Cycles a tile must have in the picture.
CYCLES = 3

#: Pixels to either side that a seam is compared with; blurred or darkened borders are up to 6 wide.
AROUND = 7
WIDTH = 6

#: How much rougher than its surroundings, in units of their roughness, every seam must be than every other
#: place: lattices in photographs and random generators reach 0.63, most seams 2 to 15.
SEAM_LEAD = 0.8

#: The same, as a share of what the seams stand out by: strong lattices have the next seam a period on.
LEAD_SHARE = 0.5

#: Repeated content is told from lattices at 32 pixels or more: its detail is so much like itself at the size
#: of the tile (correlation), and so much less at 8 to 31 pixels, which hold the periods of networks.
SMALLEST_REPEATED = 32
REPEATED = 0.5
ALONE = 0.3


def is_tiled(array: NDArray[np.float32], lattice: Lattice) -> bool:
    """Test whether a longer period, of tiles, has the lines found as some of its harmonics.

    Seams stand out every T pixels, each of them, where upsampling by P stands out every P. A repeated tile is
    like itself T pixels on, T at least 32, but not before, as any lattice is.

    Cost: a few passes over the array, and an FFT along each axis.
    """
    if min(array.shape[:2]) < CYCLES * SMALLEST_TILE:
        return False
    strongest = max(lattice.present, key=lambda c: c.amplitude)
    if any(_seams(array, strongest.period[axis], axis) for axis in (0, 1)):
        return True
    rest = without(array, lattice.present)
    alone = float(rest.var()) < (1 - NOT_ALL) * float(array.var())
    return not alone and any(_repeated(rest, axis) for axis in (0, 1))


def _seams(array: NDArray[np.float32], period: int, axis: int) -> bool:
    """Test whether places a multiple of the period apart are all rougher than all others."""
    roughness = np.abs(np.diff(array.mean(axis=-1), n=2, axis=axis)).mean(axis=1 - axis)
    around = median_filter(roughness, 2 * AROUND + 1, mode="reflect")
    relative = roughness / np.maximum(around, 1e-3)
    if period == 1:
        return False
    for size in range(period, len(relative) // CYCLES + 1, period):
        if size < SMALLEST_TILE:
            continue
        least = relative[: len(relative) // size * size].reshape(-1, size).min(axis=0)
        seam = int(least.argmax())
        elsewhere = np.delete(least, (seam + np.arange(-WIDTH, WIDTH + 1)) % size)
        lead = float(least[seam]) - max(1.0, float(elsewhere.max()))
        if lead >= max(SEAM_LEAD, LEAD_SHARE * (float(least[seam]) - 1)):
            return True
    return False


def _repeated(rest: NDArray[np.float32], axis: int) -> bool:
    rest = rest.mean(axis=-1)
    # Detail only: smooth content is like itself at any distance.
    detail = rest[1:-1, 1:-1] - (rest[:-2, 1:-1] + rest[2:, 1:-1] + rest[1:-1, :-2] + rest[1:-1, 2:]) / 4
    length = detail.shape[axis]
    spectrum = np.fft.rfft(detail, 2 * length, axis=axis)
    power = (np.abs(spectrum) ** 2).sum(axis=1 - axis)
    correlation = np.fft.irfft(power)[:length] / np.maximum(1, length - np.arange(length))
    correlation /= max(float(correlation[0]), 1e-9)
    last = length // 2
    if last <= SMALLEST_REPEATED:
        return False
    most = float(correlation[SMALLEST_REPEATED:last].max())
    nearer = float(correlation[8:SMALLEST_REPEATED].max())
    return most >= REPEATED and most - nearer >= ALONE
