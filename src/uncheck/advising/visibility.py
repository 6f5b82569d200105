r"""How visible a lattice is, in words, from the contrast sensitivity of the eye.

Threshold modulation of a grating of u cycles per degree, luminance L (cd/m^2), and a field of X^2 square
degrees (Barten 2004, equation 9):

    S(u) = 5200 exp(-0.0016 u^2 (1 + 100 / L)^0.08)
           / sqrt((1 + 144 / X^2 + 0.64 u^2) (63 / L^0.83 + 1 / (1 - exp(-0.02 u^2))))

and a modulation of 1 / S is just seen. Stated conditions: an sRGB display of 96 dots per inch and 80 cd/m^2
white (IEC 61966-2-1), seen from 50 cm at one display pixel per picture pixel, a flat mid-grey (127.5 of 255),
a field of 10 x 10 degrees.

Source: P. G. J. Barten, "Formula for the contrast sensitivity of the human eye", Proc. SPIE 5294, 2004.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import atan, exp, pi, sqrt
from typing import Any

#: The display and the eye: dots per inch, distance in cm, white in cd/m^2, field in square degrees.
DPI, DISTANCE, WHITE, FIELD = 96.0, 50.0, 80.0, 100.0

#: sRGB value of the ground, 0..1.
GROUND = 0.5

#: Multiples of the threshold from which on the words are said. Detection rises from chance to certainty
#: within a factor of 2 (a Weibull slope of 3.5, Watson & Ahumada 2005). Busy content raises thresholds up to
#: about tenfold (Legge & Foley 1980: with the power 0.62 of its contrast, 40 thresholds in photographs), so
#: what is 10 times over it is seen there too.
WORDS = ((10.0, "strong"), (2.0, "visible"), (1.0, "barely visible"), (0.0, "invisible"))


def pixels_per_degree() -> float:
    """Return the pixels per degree of the stated display, 33."""
    pixel = 2.54 / DPI
    return 1.0 / (2 * atan(pixel / 2 / DISTANCE) * 180 / pi)


def sensitivity(u: float, luminance: float) -> float:
    """Return S(u), the inverse of the threshold modulation, for `u` cycles per degree."""
    optics = 5200 * exp(-0.0016 * u * u * (1 + 100 / luminance) ** 0.08)
    noise = (1 + 144 / FIELD + 0.64 * u * u) * (63 / luminance**0.83 + 1 / (1 - exp(-0.02 * u * u)))
    return optics / sqrt(noise)


def threshold(period: Sequence[float]) -> float:
    """Return the amplitude in grey levels from which on a lattice of this period is seen on flat mid-grey.

    The frequency is the lowest of the lattice, 1 / the longest period, where it is seen best.

    >>> round(threshold([4, 4]), 2)
    0.24
    """
    u = pixels_per_degree() / max(max(period), 1)
    linear = ((GROUND + 0.055) / 1.055) ** 2.4
    # dL / L per unit of the sRGB value, so a modulation m is m / slope units
    slope = 2.4 / (GROUND + 0.055)
    return 255 / slope / sensitivity(u, WHITE * linear)


def times_threshold(period: Sequence[float], amplitude: float) -> float:
    """Return an amplitude (grey levels) as a multiple of the threshold at its period."""
    return amplitude / threshold(period)


def visibility(lattice: Sequence[Any]) -> str:
    """Return the word for a lattice, that of its most visible component.

    Args:
        lattice: dictionaries with `period` (pixels per axis) and `amplitude` (grey levels).

    >>> visibility([{"period": [4, 4], "amplitude": 4.4}])
    'strong'
    >>> visibility([{"period": [2, 2], "amplitude": 0.04}])
    'invisible'
    """
    most = max((times_threshold(c["period"], c["amplitude"]) for c in lattice), default=0.0)
    return next((word for least, word in WORDS if most >= least), "of no known strength")  # NaN
