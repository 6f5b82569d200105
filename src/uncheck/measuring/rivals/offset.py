"""Lines beside a lattice frequency, not on it: content whose period is no whole number of pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Lattice, Line
from uncheck.measuring.lines import powers_around

#: Lines asked, strongest first; the weaker ones add little power.
LINES_ASKED = 12

#: Bins (1 / side, cycles per pixel) to either side of a line that are looked at, and the grid's steps.
REACH = 1.5
STEP = 1 / 16

#: Bins by which the peak must be off the lattice, by its purity: the share of the power within two and five
#: bins that one sinusoid explains. Lattices of networks on smooth inputs have a broad band (at most 0.47)
#: whose peak is anywhere; a pure sinusoid has one place.
PURE, OFF = 0.65, 0.25
VERY_PURE, LITTLE_OFF = 0.95, 0.09

#: Power mirrored about the lattice frequency against that of the peak, which is 0.7 for a sinusoid a quarter
#: of a bin away and 0.95 for a tenth.
MIRRORED = 0.75
LITTLE_MIRRORED = 0.97

#: The peak must exceed the mirrored power by this many times the power around, by which noise moves it.
OVER_AROUND = 12.0


def is_beside(array: NDArray[np.float32], lattice: Lattice) -> bool:
    """Test whether the lines with most of the power are flanks of lines beside the lattice frequencies.

    A line with amplitude b(n), real, at frequency f has the power |B(d)|^2 at f + d, which is the same at
    f - d: whatever part of the picture a lattice fills, and however it goes with brightness, its spectrum is
    symmetric about a / P. The flank of a line beside is not.

    Args:
        array: (H, W, C) grey levels.
        lattice: what was found in it.

    Cost: O(50 H W C) per line, 12 lines at most, as matrix products.
    """
    lines = sorted(
        (line for component in lattice.present for line in component.lines),
        key=lambda line: -line.amplitude,
    )[:LINES_ASKED]
    power = np.array([line.amplitude**2 for line in lines])
    beside = np.array([_beside(array, line) for line in lines])
    return bool(beside[0] and power[beside].sum() >= 0.5 * power.sum())


def _beside(array: NDArray[np.float32], line: Line) -> bool:
    if line.real:
        # The spectrum of any picture is symmetric there.
        return False
    near = np.arange(-REACH, REACH + STEP / 2, STEP)
    power = powers_around(array, line.frequency, near)
    y, x = (int(i) for i in np.unravel_index(int(power.argmax()), power.shape))
    highest, mirrored = power[y, x], power[len(near) - 1 - y, len(near) - 1 - x]
    off = float(np.hypot(near[y], near[x]))
    if off < LITTLE_OFF or mirrored > LITTLE_MIRRORED * highest:
        return False
    place = [f + near[i] / n for f, i, n in zip(line.frequency, (y, x), array.shape, strict=False)]
    close, wide, around = purity(array, (place[0], place[1]))
    if highest - mirrored < OVER_AROUND * around:
        return False
    if min(close, wide) >= VERY_PURE:
        return True
    return close >= PURE and off >= OFF and mirrored <= MIRRORED * highest


def purity(array: NDArray[np.float32], frequency: tuple[float, ...]) -> tuple[float, float, float]:
    """Return the share within 2 and 5 bins that one sinusoid explains, and the power 4 to 5 bins off."""
    bins = np.arange(-5, 6.0)
    power = powers_around(array, frequency, bins)
    # Of a sinusoid, Hann's window leaves 1/4 of its power one bin aside: (1/4 + 1 + 1/4)^2 in all.
    whole = 1.5**2 * power[5, 5]
    outside = np.maximum(np.abs(bins)[:, None], np.abs(bins)) >= 4
    return float(whole / power[3:8, 3:8].sum()), float(whole / power.sum()), float(np.median(power[outside]))
