"""What else leaves a lattice in pictures: JPEG blocks and the colour mosaic of cameras."""

from __future__ import annotations

from math import lcm

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from uncheck.measuring.lattice import Component, Lattice, find_lattice, synthesise

#: Most blocks looked at per grid offset: enough for the rates, and no slower on large pictures.
BLOCKS = 400

#: How far the rate of vanishing block-DCT coefficients must stand above the other 63 grid offsets.
JPEG_EXCESS = 0.04

#: How far, as a share of that excess, it must stand above the best of the other offsets: those half a block
#: away come close behind at low quality, where the excess is at least 0.2.
JPEG_LEAD = 1 / 4
JPEG_LEAD_LOW_QUALITY = 1 / 25

#: What compression leaves at these periods (at most 1.2 levels on photographs and gradients at quality 5
#: to 98): grey levels above which it is not believed.
JPEG_MOST = 1.5

#: The same for pictures so smooth that at least this share of all block-DCT coefficients vanishes: every
#: block of a gradient is rounded alike, which adds up (at most 2.7 levels, quality 10 to 90).
SMOOTH = 0.84
JPEG_MOST_SMOOTH = 3.0

#: Least relative difference between the two green quincunx lattices, and from the other colours.
BAYER_CONTRAST = 0.05

#: Demosaicing leaves traces, not patterns: grey levels above which a camera is not believed.
BAYER_MOST = 1.0


def name_rival(array: NDArray[np.float32], lattice: Lattice, codec: str | None = None) -> str | None:
    """The rival that explains every present component, or None.

    Args:
        array: (H, W, C) grey levels, as given to `find_lattice`.
        lattice: what was found in it.
        codec: file format the picture came in ("JPEG" says where its blocks are), if known.

    Returns:
        "jpeg" when all periods divide 8 (16 for halved chroma), all lines of periods 2 and 4 lie on the axes,
        none is stronger than 1.5 levels, and the picture shows a JPEG grid (very smooth pictures: 3 levels,
        and lines of period 4 anywhere).
        "bayer" when only period 2 is there, at most 1 level strong, and the green channel alternates between
        measured and interpolated pixels while red and blue do not.

    Cost: only spent when something was found; 64 block DCTs of at most 400 blocks.
    """
    if not lattice.present or array.ndim != 3:
        return None
    if all(_on_jpeg_lines(c, smooth=True) for c in lattice.present):
        grid = (0, 0) if codec == "JPEG" else jpeg_grid(array)
        if grid is not None:
            smooth = _vanishing_rate(array[grid[0] :, grid[1] :, :3].mean(axis=-1), -1.0) >= SMOOTH
            if smooth or all(_on_jpeg_lines(c, smooth=False) for c in lattice.present):
                return "jpeg"
    if _camera_like(lattice) and bayer_contrast(array, lattice) >= BAYER_CONTRAST:
        return "bayer"
    return None


def only_enlarged(array: NDArray[np.float32], lattice: Lattice) -> bool:
    """Whether every pixel was repeated (nearest neighbour), and the picture before that had no lattice.

    Enlarging by r turns a trace of period P into one of period r P, which alone may pass the threshold.
    """
    small = shrunk(array) if lattice.present and array.ndim == 3 else None
    if small is None or max(small.shape[:2]) < 4:
        return False
    return not find_lattice(small, threshold=lattice.threshold, significance=lattice.significance).present


def _on_jpeg_lines(component: Component, *, smooth: bool) -> bool:
    """Block edges run along the axes, so a JPEG line varies along one axis only.

    Except where every block holds nearly the same, as on a slanting gradient: all harmonics of 8 are there.
    """
    most, shortest = (JPEG_MOST_SMOOTH, 4) if smooth else (JPEG_MOST, 8)
    if component.amplitude > most or any(16 % p for p in component.period):
        return False
    on_axes = all(sum(p > 1 for p in line.period) == 1 for line in component.lines)
    return on_axes or lcm(*component.period) >= shortest


def jpeg_grid(array: NDArray[np.float32]) -> tuple[int, int] | None:
    """Offset (row, column) of the 8x8 grid that an earlier JPEG compression left, or None.

    On its own grid most block-DCT coefficients of a JPEG picture were rounded to zero; on the other 63
    offsets they are not. The rate of coefficients below half a grey level is compared.

    Args:
        array: (H, W, C) grey levels.
    """
    luma = array[..., :3].mean(axis=-1)
    if min(luma.shape) < 32:
        return None
    # Flat blocks vanish on every grid and say nothing.
    rates = np.array([[_vanishing_rate(luma[i:, j:], 1.0) for j in range(8)] for i in range(8)])
    best = np.unravel_index(int(rates.argmax()), rates.shape)
    others = np.delete(rates.ravel(), int(rates.argmax()))
    # Offsets that share the rows or the columns of the grid stand out too, but less.
    excess, lead = float(rates.max() - np.median(others)), float(rates.max() - others.max())
    least = JPEG_LEAD_LOW_QUALITY if excess >= 0.2 else JPEG_LEAD
    if excess < JPEG_EXCESS or lead < excess * least:
        return None
    return int(best[0]), int(best[1])


def _vanishing_rate(luma: NDArray[np.float32], flat: float) -> float:
    """Share of block-DCT coefficients below half a level, of blocks that span more than `flat` levels."""
    rows, columns = luma.shape[0] // 8, luma.shape[1] // 8
    blocks = luma[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8).swapaxes(1, 2).reshape(-1, 8, 8)
    step = max(1, len(blocks) // BLOCKS)
    chosen = blocks[::step]
    chosen = chosen[np.ptp(chosen, axis=(1, 2)) > flat]
    if len(chosen) < 8:
        return 0.0
    coefficients = np.abs(dctn(chosen, axes=(1, 2), norm="ortho"))
    return float((coefficients < 0.5).mean())


def shrunk(array: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The picture before every pixel of it was repeated by the same whole factor, or None if it was not.

    Args:
        array: (H, W, C); rows and columns may have been cropped anywhere.
    """
    steps = []
    for axis in (0, 1):
        other = tuple(a for a in range(3) if a != axis)
        edges = np.flatnonzero((np.diff(array, axis=axis) != 0).any(axis=other)) + 1
        if len(edges) < 2:
            return None
        steps.append((int(np.gcd.reduce(np.diff(edges))), int(edges[0])))
    (factor, row), (other_factor, column) = steps
    if factor != other_factor or factor < 2:
        return None
    return array[row % factor :: factor, column % factor :: factor]


def _camera_like(lattice: Lattice) -> bool:
    return all(max(c.period) == 2 and c.amplitude <= BAYER_MOST for c in lattice.present)


def bayer_contrast(array: NDArray[np.float32], lattice: Lattice) -> float:
    """How differently the two quincunx halves of green vary, beyond red and blue: 0 for no mosaic.

    Equation: |log r_G| where it differs from (log r_R + log r_B)/2 by as much, r the ratio between even
    and odd (row + column) pixels of the mean |x - mean of the 4 neighbours|, the lattice itself removed.
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
    return float(min(abs(green), abs(green - (red + blue) / 2)))
