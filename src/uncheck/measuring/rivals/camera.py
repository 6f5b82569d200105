"""The colour mosaic of cameras: green measured on one half of the pixels, interpolated on the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Component, Lattice, without
from uncheck.measuring.lattice import find_lattice
from uncheck.signals.levels import LUMA, brightness, grey

#: Least relative difference between the two green quincunx lattices, and from the other colours.
BAYER_CONTRAST = 0.05

#: Demosaicing leaves traces, not patterns: grey levels above which a camera is not believed.
BAYER_MOST = 1.0

#: Share of its amplitude that a camera's pattern may keep in brightness. Green has half of all pixels of a
#: mosaic and most of the weight in brightness, so what green gains there red and blue lose (scans of
#: photographs: at most 0.15; a pattern of one sign in all colours: 1).
BAYER_BRIGHTNESS = 0.25

#: Share of the power of a pattern that must lie in the one line of a quincunx, (1/2, 1/2): the single red
#: and blue pixels of the mosaic leave some in stripes (sharpened scans: at least 0.6 in the quincunx).
QUINCUNX = 0.55

#: How many times more pixels 8 apart differ than neighbours, at least, in what a camera or scanner saw
#: (photographs sharpened by 100 %: 1.4 or more; outputs of random networks on noise, whose colours are a
#: quincunx by chance: at most 1).
GROWTH = 1.2
FAR = 8


def is_bayer(array: NDArray[np.float32], lattice: Lattice, rest: NDArray[np.float32] | None = None) -> bool:
    """Test whether a camera's mosaic explains the lattice: period 2, at most 1 level, its pattern.

    Either the pattern is a quincunx, green against red and blue, with next to nothing left in brightness, on
    a picture that is less alike the farther apart (`GROWTH`); or the measured half of the green pixels varies
    more than the interpolated half, and red and blue vary most at opposite corners of the other half, where
    their own measured pixels lie (`is_arranged`). `rest` is the array without the lattice, if made before.

    Cost: a few passes over the array.
    """
    if not all(max(c.period) == 2 and c.amplitude <= BAYER_MOST for c in lattice.present):
        return False
    present = lattice.present if array.shape[-1] < 3 else [_coloured(array, c) for c in lattice.present]
    if all(green_against_magenta(c) for c in present):
        return growth(without(array, lattice.present) if rest is None else rest) >= GROWTH
    return bayer_contrast(array, lattice) >= BAYER_CONTRAST and is_arranged(array, lattice)


def _coloured(array: NDArray[np.float32], component: Component) -> Component:
    """Return a component without the brightness of those lines that brightness alone does not have.

    Lines of opposite colours are sure where colours are quiet, and then have the noise of brightness added.
    """
    found = find_lattice(brightness(array)[..., None], periods=(2,), threshold=0.0)
    bright = {line.frequency for one in found.present for line in one.lines}
    lines = [
        line
        if line.frequency in bright or len(line.mean) != 3
        else replace(line, mean=tuple(m - complex(LUMA @ np.array(line.mean)) for m in line.mean))
        for line in component.lines
    ]
    return Component.of(lines, component.p_value)


def growth(array: NDArray[np.float32]) -> float:
    """Return the mean difference of pixels 8 apart over that of neighbours, in the mean of the channels."""
    plane = grey(array)
    near, far = (
        sum(
            float(np.abs(np.roll(plane, -by, axis)[:-FAR, :-FAR] - plane[:-FAR, :-FAR]).mean())
            for axis in (0, 1)
        )
        for by in (1, FAR)
    )
    return far / max(near, 1e-6)


def is_arranged(array: NDArray[np.float32], lattice: Lattice) -> bool:
    """Test whether red and blue vary most on one diagonal of 2 x 2 pixels each, green on the other.

    There lie the pixels that each colour was measured on; interpolated ones vary less. Uneven overlap gives
    all colours the same phases.
    """
    if array.shape[-1] < 3:
        return False
    detail = _detail(array, lattice)
    rows, columns = (n // 2 * 2 for n in detail.shape[:2])
    phases = detail[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2, 3).mean(axis=(0, 2)).reshape(4, 3)
    red, blue = (int(phases[:, channel].argmax()) for channel in (0, 2))
    # Phases 0 and 3 are one diagonal, 1 and 2 the other.
    diagonals = phases[[0, 3], 1].sum(), phases[[1, 2], 1].sum()
    return red + blue == 3 and (diagonals[1] > diagonals[0]) == (red in (0, 3))


def green_against_magenta(component: Component) -> bool:
    """Test for the quincunx (1/2, 1/2) with green of one sign, red and blue of the other."""
    power = [sum(a * a for a in line.amplitudes) for line in component.lines]
    both = [all(f == 0.5 for f in line.frequency) for line in component.lines]
    if sum(p for p, q in zip(power, both, strict=True) if q) < QUINCUNX * sum(power):
        return False
    line = component.lines[both.index(True)]
    if len(line.mean) != 3:
        return False
    red, green, blue = colour = np.array(line.mean).real
    bright = abs(float(LUMA @ colour))
    return bool(max(red * green, blue * green) < 0 and bright <= BAYER_BRIGHTNESS * np.abs(colour).max())


def bayer_contrast(array: NDArray[np.float32], lattice: Lattice) -> float:
    """Measure how differently the quincunx halves of green vary, beyond red and blue: 0 for no mosaic.

    Equation: |log r_G| where it differs from (log r_R + log r_B)/2 by as much, r the ratio between even
    and odd (row + column) pixels of the mean |x - mean of the 4 neighbours|, the lattice itself removed; 0 if
    red or blue lean the way of green by half as much, as uneven overlap makes all colours do.
    """
    if array.shape[-1] < 3:
        return 0.0
    detail = _detail(array, lattice)
    even = (np.add.outer(np.arange(detail.shape[0]), np.arange(detail.shape[1])) % 2) == 0
    floor = 1e-3
    red, green, blue = np.log((detail[even].mean(0) + floor) / (detail[~even].mean(0) + floor))
    if max(red * green, blue * green) > green**2 / 2:
        return 0.0
    return float(min(abs(green), abs(green - (red + blue) / 2)))


def _detail(array: NDArray[np.float32], lattice: Lattice) -> NDArray[np.float32]:
    """Return |x - mean of the 4 neighbours| of the colours, the lattice removed, without the border."""
    clean = without(array, lattice.present)[..., :3]
    neighbours = clean[:-2, 1:-1] + clean[2:, 1:-1] + clean[1:-1, :-2] + clean[1:-1, 2:]
    return np.asarray(np.abs(clean[1:-1, 1:-1] - neighbours / 4))
