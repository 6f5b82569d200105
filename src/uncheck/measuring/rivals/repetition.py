"""Pictures that repeat: enlarged by repeating pixels (nearest neighbour), or made of tiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import median_filter

from uncheck.measuring.components import Lattice, without
from uncheck.measuring.lattice import find_lattice
from uncheck.measuring.rivals.texture import NOT_ALL
from uncheck.signals.levels import channel_means, grey

#: Smallest enlargement told from a picture that happens to have a few equal rows.
LEAST_FACTOR = 1.1


def lattice_before(
    array: NDArray[np.float32], lattice: Lattice
) -> tuple[NDArray[np.float32], Lattice] | None:
    """Return the picture before rows and columns were repeated evenly, and its lattice; None if not so.

    Enlarging by r, whole or not, turns a trace of period P into one of period r P, or leaves one of the
    beat of the repetitions; either alone may pass the threshold.

    Cost: a pass over the array, and the test of the smaller one.
    """
    small = before_repetition(array)
    if small is None or min(small.shape[:2]) < 4:
        return None
    return small, find_lattice(small, threshold=lattice.threshold, significance=lattice.significance)


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

#: Rows whose repetition is looked for.
ROWS_ASKED = 128
ALONE = 0.3


def is_tiled(array: NDArray[np.float32], lattice: Lattice, rest: NDArray[np.float32] | None = None) -> bool:
    """Test whether a longer period, of tiles, has the lines found as some of its harmonics.

    Seams stand out every T pixels, each of them, where upsampling by P stands out every P. A repeated tile is
    like itself T pixels on, T at least 32, but not before, as any lattice is. `rest` is the array without the
    lattice, if it was made before.

    Cost: a few passes over the array, and an FFT along each axis.
    """
    if min(array.shape[:2]) < CYCLES * SMALLEST_TILE:
        return False
    strongest = max(lattice.present, key=lambda c: c.amplitude)
    plane = grey(array)
    if any(_seams(plane, strongest.period[axis], axis) for axis in (0, 1)):
        return True
    rest = without(array, lattice.present) if rest is None else rest
    if _spread(rest) < (1 - NOT_ALL) * _spread(array):
        return False
    # Detail only: smooth content is like itself at any distance.
    plane = grey(rest)
    around = plane[:-2, 1:-1] + plane[2:, 1:-1] + plane[1:-1, :-2] + plane[1:-1, 2:]
    detail = plane[1:-1, 1:-1] - around / 4
    return _repeated(detail) or _repeated(detail.T)


def _spread(array: NDArray[np.float32]) -> float:
    """Return the variance of all values together."""
    values = array.ravel() - np.float32(channel_means(array).mean())
    return float(np.vdot(values, values)) / values.size


def _seams(plane: NDArray[np.float32], period: int, axis: int) -> bool:
    """Test whether places a multiple of the period apart are all rougher than all others."""
    roughness = np.abs(np.diff(plane, n=2, axis=axis)).mean(axis=1 - axis)
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


def _repeated(detail: NDArray[np.float32]) -> bool:
    """Test whether columns are like those a tile before, in some of the rows."""
    length = detail.shape[1]
    rows = np.ascontiguousarray(detail[:: max(1, len(detail) // ROWS_ASKED)])
    spectrum = rfft(rows, next_fast_len(2 * length, real=True), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).sum(axis=0, dtype=np.float64)
    correlation = irfft(power, next_fast_len(2 * length, real=True))[:length] / np.maximum(
        1, length - np.arange(length)
    )
    correlation /= max(float(correlation[0]), 1e-9)
    last = length // 2
    if last <= SMALLEST_REPEATED:
        return False
    most = float(correlation[SMALLEST_REPEATED:last].max())
    nearer = float(correlation[8:SMALLEST_REPEATED].max())
    return most >= REPEATED and most - nearer >= ALONE
